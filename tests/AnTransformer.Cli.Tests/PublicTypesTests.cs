using System.Reflection;

namespace AnTransformer.Cli.Tests;

/// <summary>A public type is one that a program can come by: made, returned, handed over, or there without an instance.</summary>
public sealed class PublicTypesTests
{
    private static readonly string[] Libraries =
    [
        "AnTransformer", "AnTransformer.Native", "AnTransformer.Training", "AnTransformer.Studies",
        "AnTransformer.Export", "AnTransformer.Inference",
    ];

    private const BindingFlags Visible
        = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static
            | BindingFlags.DeclaredOnly;

    [Fact]
    public void Every_public_type_can_be_had_from_outside()
    {
        var types = Libraries.SelectMany(name => Assembly.Load(name).GetExportedTypes()).ToHashSet();
        Assert.True(types.Count > 300);
        var usable = types.Where(CanBeMade).ToHashSet();
        for (var before = 0; before != usable.Count;)
        {
            before = usable.Count;
            foreach (var given in types.SelectMany(type => Given(type, !usable.Contains(type))).SelectMany(Parts).ToList().Where(types.Contains))
                usable.Add(given);
        }

        var others = types.Except(usable).Select(type => type.FullName).Order(StringComparer.Ordinal).ToList();
        Assert.True(others.Count == 0, $"make these internal, or a way to come by them: {string.Join(", ", others)}");
    }

    private static bool CanBeMade(Type type)
        => type.IsValueType || type.IsInterface || type.IsSubclassOf(typeof(Delegate))
            || (type.IsAbstract && type.IsSealed)       // static
            || type.GetConstructors(Visible).Any(IsOpen);

    /// <summary>What members hand out, those that need no instance alone or all of them.</summary>
    private static IEnumerable<Type> Given(Type type, bool byStatics)
    {
        foreach (var method in type.GetMethods(Visible)
            .Where(method => IsOpen(method) && (method.IsStatic || !byStatics)))
        {
            yield return method.ReturnType;
            // What an override is called with, and what is handed to a callback.
            foreach (var parameter in method.GetParameters())
            {
                if (method.IsVirtual || parameter.IsOut || parameter.ParameterType.IsSubclassOf(typeof(Delegate)))
                    yield return parameter.ParameterType;
            }
        }

        foreach (var field in type.GetFields(Visible)
            .Where(field => (field.IsPublic || field.IsFamily) && (field.IsStatic || !byStatics)))
            yield return field.FieldType;
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            foreach (var parameter in type.GetMethod("Invoke")!.GetParameters())
                yield return parameter.ParameterType;
        }
    }

    private static bool IsOpen(MethodBase member)
        => member.IsPublic || (member.IsFamily && !member.DeclaringType!.IsSealed) || member.IsFamilyOrAssembly;

    /// <summary>A type, what it is made of, and what it derives from.</summary>
    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType)
            return Parts(type.GetElementType()!);
        var parts = type.IsGenericType
            ? type.GetGenericArguments().SelectMany(Parts).Append(type.GetGenericTypeDefinition())
            : [type];
        return type.BaseType is { } parent ? parts.Append(parent) : parts;
    }
}
