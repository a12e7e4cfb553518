using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Decompresses Zstandard files of one or several frames, with a sentence for each thing that can be wrong.
/// </summary>
internal sealed class ZstdReader(FileStream file, string path) : ForwardStream
{
    private readonly DecompressionStream _stream = new(
        file, bufferSize: 1 << 17, checkEndOfStream: true, leaveOpen: false);
    private long _bytes;

    public override int Read(Span<byte> buffer)
    {
        try
        {
            if (_bytes == 0 && file.Length == 0)
                throw new EndOfStreamException();
            var read = _stream.Read(buffer);
            _bytes += read;
            return read;
        }
        catch (EndOfStreamException exception)
        {
            throw Broken("ends too early: the file is truncated", exception);
        }
        catch (ZstdException exception) when (exception.Code == ZSTD_ErrorCode.ZSTD_error_prefix_unknown && _bytes == 0)
        {
            throw new InvalidInputException(
                $"'{path}' is no Zstandard file; rename it if it is not compressed, or get it again.", exception);
        }
        catch (ZstdException exception)
        {
            throw Broken(
                exception.Code switch
                {
                    ZSTD_ErrorCode.ZSTD_error_prefix_unknown => "is followed by bytes that are none",
                    ZSTD_ErrorCode.ZSTD_error_checksum_wrong => "has a wrong checksum: it is damaged",
                    ZSTD_ErrorCode.ZSTD_error_frameParameter_windowTooLarge
                        => "needs too large a window to decompress (it was made with --long)",
                    _ => $"cannot be decompressed: it is damaged ({exception.Message.TrimEnd('.')})",
                },
                exception);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _stream.Dispose();
        base.Dispose(disposing);
    }

    private InvalidInputException Broken(string what, Exception inner)
    {
        var place = _bytes > 0 ? $"after {_bytes} decompressed bytes " : "";
        return new InvalidInputException(
            $"'{path}': its Zstandard data {place}{what}; get the file again or leave it out.", inner);
    }
}
