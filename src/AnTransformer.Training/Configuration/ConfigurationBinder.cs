using System.Collections;
using System.Text;
using System.Text.Json.Nodes;
using AnTransformer.Files;

namespace AnTransformer.Training.Configuration;

/// <summary>
/// Reads configurations from YAML files and the command line, writes them back with comments, and compares them. A
/// configuration is any class whose properties are bool, int, long, double, string, enums, any of these nullable,
/// lists of string, long or double,
/// a <see cref="ConfigurationPatch"/>, or sections, that is, other such classes. Keys are the properties' names in
/// snake case.
/// </summary>
public static class ConfigurationBinder
{
    private static readonly UTF8Encoding StrictUtf8 = new(
        encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All fields of a configuration class, section by section, in the order of declaration.</summary>
    /// <param name="type">A configuration class with a constructor without parameters.</param>
    public static IReadOnlyList<ConfigurationField> Fields(Type type)
        => ConfigurationSection.Of(type).AllFields.ToList();

    /// <summary>The field of a name: a dotted key, or its last part where that is unique.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="name">The name.</param>
    /// <param name="place">Where it was given, for errors.</param>
    /// <exception cref="InvalidInputException">There is none, or there are several.</exception>
    public static ConfigurationField Field<T>(string name, string place)
        where T : class, new()
        => FieldNames.Resolve(ConfigurationSection.Of(typeof(T)), name, place);

    /// <summary>Reads a file, then applies overrides, then validates.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="path">A YAML file in UTF-8. A field it does not give keeps its default.</param>
    /// <param name="overrides">
    /// Keys as <see cref="ConfigurationField.Key"/> (or only their last part where that is unique; hyphens equal
    /// underscores) and values as a file would give them; a list is given as <c>a,b</c> or <c>[a, "b"]</c>. The last of
    /// several wins.
    /// </param>
    /// <exception cref="InvalidInputException">
    /// The file cannot be read or is malformed; a key is unknown or given twice; a value has the wrong type or is out
    /// of range; fields do not fit together. The message begins with file, line and column, or with the command-line
    /// option.
    /// </exception>
    public static T Load<T>(string path, IReadOnlyList<(string Key, string Value)> overrides)
        where T : class, new()
        => Parse<T>(ReadText(path), path, overrides);

    /// <summary>
    /// Reads a file as <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/> does, and tells where
    /// values came from.
    /// </summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="path">A YAML file in UTF-8.</param>
    /// <param name="overrides">Keys and values.</param>
    /// <param name="placeOf">
    /// The place of a field by its key, for errors: file, line and column, the option, or the file for a default.
    /// </param>
    /// <exception cref="InvalidInputException">The file or an override cannot be used.</exception>
    public static T Load<T>(
        string path, IReadOnlyList<(string Key, string Value)> overrides, out Func<string, string> placeOf)
        where T : class, new()
        => Parse<T>(ReadText(path), path, overrides, out placeOf);

    /// <summary>Reads YAML text, then applies overrides, then validates.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="yaml">The text.</param>
    /// <param name="path">What errors call it.</param>
    /// <param name="overrides">As for <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/>.</param>
    /// <exception cref="InvalidInputException">
    /// As for <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/>.
    /// </exception>
    public static T Parse<T>(string yaml, string path, IReadOnlyList<(string Key, string Value)> overrides)
        where T : class, new()
        => Parse<T>(yaml, path, overrides, out _);

    /// <summary>Reads YAML text and tells where values came from.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="yaml">The text.</param>
    /// <param name="path">What errors call it.</param>
    /// <param name="overrides">Keys and values.</param>
    /// <param name="placeOf">The place of a field by its key, for errors.</param>
    /// <exception cref="InvalidInputException">The text or an override cannot be used.</exception>
    public static T Parse<T>(
        string yaml, string path, IReadOnlyList<(string Key, string Value)> overrides, out Func<string, string> placeOf)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        var configuration = new T();
        var binding = new Binding(configuration, path);
        binding.Apply(YamlReader.Read(yaml, path));
        foreach (var (key, value) in overrides)
            binding.Apply(key, value);
        binding.Validate();
        placeOf = binding.PlaceOf;
        return configuration;
    }

    /// <summary>Reads a file's fields without applying them.</summary>
    /// <param name="path">A YAML file in UTF-8.</param>
    /// <exception cref="InvalidInputException">The file cannot be read or is malformed.</exception>
    public static ConfigurationPatch ReadPatch(string path) => new(YamlReader.Read(ReadText(path), path));

    /// <summary>Takes fields from a text without applying them.</summary>
    /// <param name="yaml">YAML text.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InvalidInputException">The text is malformed.</exception>
    public static ConfigurationPatch ParsePatch(string yaml, string name) => new(YamlReader.Read(yaml, name));

    /// <summary>Lays fields over defaults, layer by layer, then validates.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="name">What errors call the whole when no place of a field is known.</param>
    /// <param name="layers">Fields of files, the first lowest.</param>
    /// <param name="overrides">
    /// Keys and values as for <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/>, each with the
    /// place that errors name; the last wins.
    /// </param>
    /// <exception cref="InvalidInputException">
    /// As for <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/>.
    /// </exception>
    public static T Compose<T>(
        string name, IEnumerable<ConfigurationPatch> layers,
        IEnumerable<(string Key, string Value, string Place)> overrides)
        where T : class, new()
    {
        var configuration = new T();
        var binding = new Binding(configuration, name);
        foreach (var layer in layers)
            binding.Apply(layer.Value);
        foreach (var (key, value, place) in overrides)
            binding.Apply(key, value, place);
        binding.Validate();
        return configuration;
    }

    /// <summary>
    /// The YAML text of a configuration, every field commented. Reading it gives an equal configuration.
    /// </summary>
    /// <param name="configuration">The configuration.</param>
    public static string Write(object configuration) => ConfigurationWriter.Write(configuration);

    /// <summary>
    /// The YAML text of a configuration whose defaults have been resolved, every field commented; a comment says which
    /// null stood for what.
    /// </summary>
    /// <param name="resolved">The configuration with its defaults resolved.</param>
    /// <param name="given">The configuration before that, of the same class.</param>
    public static string Write(object resolved, object given) => ConfigurationWriter.Write(resolved, given);

    /// <summary>
    /// The YAML text of the fields whose value is not their default, without comments; <c>{}</c> when there are none.
    /// Reading it gives an equal configuration.
    /// </summary>
    /// <param name="configuration">The configuration.</param>
    public static string WriteDifferences(object configuration) => ConfigurationWriter.WriteDifferences(configuration);

    /// <summary>
    /// A JSON Schema (draft 2020-12) of a configuration class's files, for editors: descriptions, types, ranges, words,
    /// defaults. A file that it accepts may still be refused for fields that do not fit together.
    /// </summary>
    /// <param name="type">A configuration class.</param>
    /// <param name="title">What the schema calls itself.</param>
    public static JsonObject Schema(Type type, string title) => ConfigurationSchema.Of(type, title);

    /// <summary>The defaults with overrides, each legal by itself; whether they fit together is not asked.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="overrides">As for <see cref="Load{T}(string, IReadOnlyList{ValueTuple{string, string}})"/>.</param>
    /// <exception cref="InvalidInputException">
    /// A key is unknown, or a value has the wrong type or is out of range.
    /// </exception>
    public static T Defaults<T>(IReadOnlyList<(string Key, string Value)> overrides)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(overrides);
        var configuration = new T();
        var binding = new Binding(configuration, "the defaults");
        foreach (var (key, value) in overrides)
            binding.Apply(key, value);
        return configuration;
    }

    /// <summary>A copy that shares nothing that can change.</summary>
    /// <typeparam name="T">A configuration class.</typeparam>
    /// <param name="configuration">The configuration.</param>
    public static T Copy<T>(T configuration)
        where T : class, new()
    {
        var copy = new T();
        foreach (var field in Fields(typeof(T)))
            field.Set(copy, field.Get(configuration) is IList list ? field.CopyOf(list) : field.Get(configuration));
        return copy;
    }

    /// <summary>A field's value as YAML has it.</summary>
    /// <param name="value">A value that a field may have.</param>
    public static string Text(object? value) => ScalarText.ToYaml(value);

    /// <summary>Fields in which two configurations differ, without those that may change on resuming.</summary>
    /// <param name="before">A configuration.</param>
    /// <param name="after">Another of the same class.</param>
    /// <param name="includeChangeable">
    /// Whether fields marked <see cref="MayChangeOnResumeAttribute"/> are reported, too.
    /// </param>
    public static IReadOnlyList<ConfigurationDifference> Differences(
        object before, object after, bool includeChangeable = false)
        => Fields(before.GetType())
            .Where(field => includeChangeable || !field.MayChangeOnResume)
            .Select(field => new ConfigurationDifference(
                field.Key, ScalarText.ToYaml(field.Get(before)), ScalarText.ToYaml(field.Get(after)),
                field.MayChangeOnResume))
            .Where(difference => difference.Before != difference.After)
            .ToList();

    private static string ReadText(string path)
    {
        if (Directory.Exists(path))
            throw new InvalidInputException($"{path}: is a directory; give the path of a YAML configuration file.");
        try
        {
            return RegularFile.ReadAllText(path, RegularFile.SettingsLimit, StrictUtf8);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException($"{path}: no such file; give the path of a YAML configuration file.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidInputException(
                $"{path}: is not UTF-8 text; give the path of a YAML configuration file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.TrimEnd('.')}); check the path and its permissions.", e);
        }
    }
}
