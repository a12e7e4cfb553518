using AnTransformer.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Opens files of text: decompresses <c>.gz</c> and <c>.zst</c> (also of several members) and turns the text into
/// UTF-8.
/// </summary>
internal static class CorpusStream
{
    /// <param name="path">The file.</param>
    /// <param name="encoding">How its bytes are characters.</param>
    /// <param name="file">The file's own stream, whose position measures progress.</param>
    /// <returns>UTF-8 without a byte-order mark; disposing it disposes <paramref name="file"/>.</returns>
    /// <exception cref="InvalidInputException">
    /// The file is no regular file, is not what its name says, or holds no text; or, while reading, it is damaged.
    /// </exception>
    public static Stream Open(string path, TextEncoding encoding, out FileStream file)
    {
        file = RegularFile.Open(path, 1 << 17, FileOptions.SequentialScan);
        Stream stream = file;
        try
        {
            if (path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
                stream = new GzipReader(file, path);
            else if (path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase))
                stream = new ZstdReader(file, path);
            return TextEncodings.ToUtf8(stream, path, encoding);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }
}
