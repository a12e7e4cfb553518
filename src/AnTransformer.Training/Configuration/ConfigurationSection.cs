using System.Collections.Concurrent;
using System.ComponentModel;
using System.Reflection;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// A class of a configuration as a tree: its fields, and its properties of other classes as sections, in order of
/// declaration.
/// </summary>
internal sealed class ConfigurationSection
{
    private static readonly ConcurrentDictionary<Type, ConfigurationSection> Known = new();

    private ConfigurationSection(Type type, IReadOnlyList<PropertyInfo> path, object defaults)
    {
        Path = path;
        Key = string.Join('.', path.Select(property => ScalarText.SnakeCase(property.Name)));
        Description = path.Count == 0 ? "" : path[^1].GetCustomAttribute<DescriptionAttribute>()?.Description ?? "";
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .OrderBy(property => Depth(property.DeclaringType!))
            .ThenBy(property => property.MetadataToken)
            .ToList();
        Fields = properties
            .Where(property => property.CanWrite && ConfigurationField.IsSupported(property.PropertyType))
            .Select(property => new ConfigurationField(path, property, defaults))
            .ToList();
        Sections = properties
            .Where(property => !ConfigurationField.IsSupported(property.PropertyType))
            .Select(property => new ConfigurationSection(property.PropertyType, [.. path, property], defaults))
            .ToList();
    }

    /// <summary>The dotted key; empty for the whole configuration.</summary>
    public string Key { get; }

    /// <summary>The key within the enclosing section.</summary>
    public string Name => Key[(Key.LastIndexOf('.') + 1)..];

    /// <summary>What the section is about.</summary>
    public string Description { get; }

    /// <summary>Fields of the section itself.</summary>
    public IReadOnlyList<ConfigurationField> Fields { get; }

    /// <summary>Sections within the section.</summary>
    public IReadOnlyList<ConfigurationSection> Sections { get; }

    /// <summary>This section and those within, outermost first.</summary>
    public IEnumerable<ConfigurationSection> WithAllSections
        => Sections.SelectMany(section => section.WithAllSections).Prepend(this);

    /// <summary>All fields, those of sections within included.</summary>
    public IEnumerable<ConfigurationField> AllFields => WithAllSections.SelectMany(section => section.Fields);

    private IReadOnlyList<PropertyInfo> Path { get; }

    /// <summary>What is inherited comes first.</summary>
    private static int Depth(Type type) => type.BaseType is { } parent ? 1 + Depth(parent) : 0;

    /// <summary>The tree of a class with a constructor without parameters.</summary>
    public static ConfigurationSection Of(Type type)
        => Known.GetOrAdd(type, static type => new ConfigurationSection(type, [], Activator.CreateInstance(type)!));

    /// <summary>The object of this section in a configuration.</summary>
    public object Get(object configuration)
        => Path.Aggregate(configuration, (owner, property) => property.GetValue(owner)!);
}
