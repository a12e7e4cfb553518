namespace AnTransformer.Cli;

/// <summary>Files that travel with the tool: configurations and a small corpus.</summary>
internal static class BundledFiles
{
    private const string Prefix = "bundled:";

    /// <summary>A configuration file: the path as given, else the tool's own of that name.</summary>
    public static string Find(string path)
    {
        if (File.Exists(path) || Path.IsPathRooted(path))
            return path;
        var own = Path.Combine(AppContext.BaseDirectory, path);
        return File.Exists(own) ? own : path;
    }

    /// <summary>Turns <c>bundled:NAME</c> into the path of the tool's own data file; other paths stay.</summary>
    /// <exception cref="InvalidInputException">There is no such file.</exception>
    public static string Resolve(string path)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            return path;
        var own = Path.Combine(AppContext.BaseDirectory, "data", path[Prefix.Length..]);
        return File.Exists(own) ? own : throw new InvalidInputException($"data.text: '{path}' does not travel with this tool; the bundled text is bundled:austen.txt.");
    }
}
