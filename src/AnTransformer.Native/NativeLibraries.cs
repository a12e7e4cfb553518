using System.Runtime.InteropServices;

namespace AnTransformer.Native;

/// <summary>Where this process's native libraries may lie, and what they are called on this system.</summary>
internal static class NativeLibraries
{
    /// <summary>The file name of a library: <c>libc10.so</c>, <c>libc10.dylib</c> or <c>c10.dll</c>.</summary>
    /// <param name="name">The bare name, e.g. <c>c10</c>.</param>
    public static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>
    /// The folders in which the runtime looks for native libraries, in its order: the host's list (package assets, the
    /// extraction folder of a single-file application), the application's folder, the folder of <c>TorchSharp.dll</c>.
    /// </summary>
    public static List<string> SearchDirectories()
    {
        var directories = new List<string>();
        void Add(string? directory)
        {
            if (!string.IsNullOrEmpty(directory) && !directories.Contains(directory))
                directories.Add(directory);
        }

        var listed = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (var directory in listed.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            Add(directory);

#pragma warning disable IL3000 // Empty in a single-file application, where the lines above have the folder.
        var torchSharp = Path.GetDirectoryName(typeof(TorchSharp.torch).Assembly.Location);
#pragma warning restore IL3000
        foreach (var root in new[] { AppContext.BaseDirectory, torchSharp })
        {
            Add(root);
            if (!string.IsNullOrEmpty(root))
                Add(Path.Combine(root, "runtimes", RuntimeIdentifier, "native"));
        }

        return directories;
    }

    /// <summary>The first folder that holds a library, or null.</summary>
    /// <param name="directories">Folders in order of preference.</param>
    /// <param name="name">The library's bare name.</param>
    public static string? FindDirectory(IEnumerable<string> directories, string name) =>
        directories.FirstOrDefault(directory => File.Exists(Path.Combine(directory, FileName(name))));

    /// <summary>The portable identifier of system and process architecture, e.g. <c>linux-x64</c>.</summary>
    public static string RuntimeIdentifier
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }
}
