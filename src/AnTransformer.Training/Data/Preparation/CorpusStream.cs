using System.Diagnostics.CodeAnalysis;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using ZstdSharp;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Opens corpus files, decompressing <c>.gz</c> (also of several members) and <c>.zst</c>.</summary>
internal static class CorpusStream
{
    /// <summary>
    /// By default .NET takes the end of a truncated gzip file for the end of the data. The switch is read once per process,
    /// before the first stream, hence a module initializer; it only turns silently lost data into an exception.
    /// </summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries",
        Justification = "The switch must be set before the process opens its first compressed stream.")]
    internal static void DetectTruncatedGzip() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    /// <param name="path">The file.</param>
    /// <param name="file">The file's own stream, whose position measures progress.</param>
    /// <returns>The decompressed bytes; disposing it disposes <paramref name="file"/>.</returns>
    public static Stream Open(string path, out FileStream file)
    {
        file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, FileOptions.SequentialScan);
        if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            return new GZipStream(file, CompressionMode.Decompress);
        return path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase)
            ? new DecompressionStream(file, bufferSize: 1 << 17, checkEndOfStream: true, leaveOpen: false)
            : file;
    }
}
