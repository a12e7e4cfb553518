namespace AnTransformer.Cli;

/// <summary>Configuration files that travel with the tool.</summary>
internal static class BundledFiles
{
    /// <summary>A configuration file: the path as given, else the tool's own of that name.</summary>
    public static string Find(string path)
    {
        if (File.Exists(path) || Path.IsPathRooted(path))
            return path;
        var own = Path.Combine(AppContext.BaseDirectory, path);
        return File.Exists(own) ? own : path;
    }
}
