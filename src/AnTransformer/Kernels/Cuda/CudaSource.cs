using System.Reflection;

namespace AnTransformer.Kernels.Cuda;

/// <summary>The kernels' CUDA C++, from this assembly's resources.</summary>
internal static class CudaSource
{
    private const string Prefix = "AnTransformer.Kernels.Cuda.Sources.";
    private const string Header = "common.cuh";

    /// <summary>The sources by file name, without the header.</summary>
    public static IReadOnlyList<string> Names { get; } = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(
            name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(".cu", StringComparison.Ordinal))
        .Select(name => name[Prefix.Length..]).Order(StringComparer.Ordinal).ToArray();

    /// <summary>One program of the header and some sources; compilers report places in the files themselves.</summary>
    /// <param name="names">Which of <see cref="Names"/>.</param>
    public static string Program(IEnumerable<string> names)
        => string.Concat(names.Prepend(Header).Select(name => $"#line 1 \"{name}\"\n{Read(name)}\n"));

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new ArgumentException($"There is no source '{name}'.", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
