namespace AnTransformer.Cli.Configurations;

/// <summary>A kind of configuration file: what <c>angpt train</c> is told, or one of the studies.</summary>
/// <param name="name">What <c>--kind</c> calls it.</param>
/// <param name="command">The command that such files are for.</param>
/// <param name="type">The class of its fields.</param>
internal abstract class ConfigurationKind(string name, string command, Type type)
{
    public string Name { get; } = name;

    public string Command { get; } = command;

    public Type Type { get; } = type;

    /// <summary>A file with overrides, checked.</summary>
    /// <exception cref="InvalidInputException">The file or an override cannot be used.</exception>
    public abstract object Load(string path, IReadOnlyList<(string Key, string Value)> overrides);

    /// <summary>The defaults with overrides, each of these legal by itself.</summary>
    /// <exception cref="InvalidInputException">An override cannot be used.</exception>
    public abstract object Defaults(IReadOnlyList<(string Key, string Value)> overrides);

    /// <summary>A configuration with those defaults filled in that depend on its other fields.</summary>
    /// <exception cref="InvalidInputException">
    /// They cannot be known, since the other fields do not fit together.
    /// </exception>
    public virtual object Resolve(object configuration) => configuration;

    /// <summary>Checks a file as far as that is possible without data.</summary>
    /// <exception cref="InvalidInputException">It cannot be run.</exception>
    public abstract void Check(string path);
}
