using AnTransformer.Native;
using Mono.Cecil;

namespace AnTransformer.Tests.Structure;

/// <summary>The layers of the library, as docs/architecture.md lists them, against what the compiled assemblies really use.</summary>
public sealed class LayerTests
{
    private const string Root = "AnTransformer";

    [Fact]
    public void Every_layer_uses_only_those_that_the_map_allows_it()
    {
        var allowed = ReadMap();
        using var library = ModuleDefinition.ReadModule(typeof(InvalidInputException).Assembly.Location);
        using var native = ModuleDefinition.ReadModule(typeof(LibTorch).Assembly.Location);
        var types = library.GetTypes().Concat(native.GetTypes()).Where(type => IsOurs(Outermost(type))).ToList();
        Assert.Equal(allowed.Keys.Order(StringComparer.Ordinal), types.Select(Layer).Distinct().Order(StringComparer.Ordinal));
        Assert.Empty(
            from type in types
            from used in References(type).SelectMany(Parts).Where(used => IsOurs(Outermost(used)))
            where Layer(used) != Layer(type) && Layer(used) != Root && !allowed[Layer(type)].Contains(Layer(used))
            select $"{Layer(type)} uses {Layer(used)}: {Outermost(type).Name} uses {Outermost(used).Name}");
    }

    /// <summary>The map itself has no cycle: a layer is listed below everything that it may use.</summary>
    [Fact]
    public void The_map_points_one_way()
    {
        var above = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (layer, uses) in ReadMap())
        {
            Assert.Subset(above, uses);
            Assert.True(above.Add(layer));
        }
    }

    private static Dictionary<string, HashSet<string>> ReadMap()
    {
        var lines = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "architecture.md"))
            .SkipWhile(line => !line.StartsWith("| layer | may use |", StringComparison.Ordinal)).Skip(2)
            .TakeWhile(line => line.StartsWith('|'));
        return lines.Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(
            cells => cells[1].Trim('`'),
            cells => cells[2].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => name.Trim('`'))
                .ToHashSet(StringComparer.Ordinal),
            StringComparer.Ordinal);
    }

    private static IEnumerable<TypeReference> References(TypeDefinition type)
    {
        if (type.BaseType is not null)
            yield return type.BaseType;
        foreach (var implemented in type.Interfaces)
            yield return implemented.InterfaceType;
        foreach (var field in type.Fields)
            yield return field.FieldType;
        foreach (var method in type.Methods)
        {
            yield return method.ReturnType;
            foreach (var parameter in method.Parameters)
                yield return parameter.ParameterType;
            foreach (var instruction in method.HasBody ? method.Body.Instructions : [])
            {
                if (instruction.Operand is TypeReference operand)
                    yield return operand;
                if (instruction.Operand is MemberReference { DeclaringType: { } declaring })
                    yield return declaring;
                if (instruction.Operand is GenericInstanceMethod generic)
                {
                    foreach (var argument in generic.GenericArguments)
                        yield return argument;
                }
            }
        }
    }

    /// <summary>The types that an array, a pointer or an instance of a generic type is made of.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Parts).Append(generic.ElementType),
        FunctionPointerType function => function.Parameters.Select(parameter => parameter.ParameterType).Append(function.ReturnType).SelectMany(Parts),
        TypeSpecification specification => Parts(specification.ElementType),
        GenericParameter => [],
        _ => [type],
    };

    private static TypeReference Outermost(TypeReference type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static bool IsOurs(TypeReference type) => type.Namespace == Root || type.Namespace.StartsWith(Root + ".", StringComparison.Ordinal);

    /// <summary>The first name below the root: kernels for the CPU and for CUDA are one layer.</summary>
    private static string Layer(TypeReference type)
        => Outermost(type).Namespace is var name && name == Root ? Root : name.Split('.')[1];
}
