using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AnTransformer.Training.Data;

/// <summary>
/// The first kilobyte of a token shard, in llm.c's format (<c>dev/data/data_common.py</c>): 256 little-endian int32, of
/// which the first three are magic number, version and token count, the others 0; the tokens follow.
/// </summary>
/// <param name="BytesPerToken">2 (magic 20240520, version 1, uint16) or 4 (magic 20240801, version 7, uint32).</param>
/// <param name="TokenCount">Number of tokens in the file.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TokenShardHeader(int BytesPerToken, int TokenCount)
{
    public const int Size = 256 * sizeof(int);

    private const int Magic16 = 20240520;
    private const int Version16 = 1;
    private const int Magic32 = 20240801;
    private const int Version32 = 7;

    /// <summary>The exact size that the whole file must have.</summary>
    public long FileSize => Size + ((long)TokenCount * BytesPerToken);

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, BytesPerToken == 2 ? Magic16 : Magic32);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), BytesPerToken == 2 ? Version16 : Version32);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), TokenCount);
        return bytes;
    }

    /// <summary>Parses and validates a header.</summary>
    /// <param name="bytes">The first <see cref="Size"/> bytes of the file, or all of it if it is shorter.</param>
    /// <param name="path">Named in errors.</param>
    /// <param name="fileSize">The file's actual size in bytes.</param>
    public static TokenShardHeader Parse(ReadOnlySpan<byte> bytes, string path, long fileSize)
    {
        if (bytes.Length < Size)
        {
            throw new InvalidInputException($"'{path}' is no token shard: it has {fileSize} bytes and the header alone "
                + "needs " +
                $"{Size}; prepare it again or remove it.");
        }
        var magic = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
        if (magic != Magic16 && magic != Magic32)
        {
            // nanoGPT's train.bin and val.bin are bare uint16 tokens.
            var isBare = Path.GetFileName(path) is "train.bin" or "val.bin" && fileSize % 2 == 0;
            throw new InvalidInputException(isBare
                ? $"'{path}' is no token shard: it has no header, as nanoGPT's files of bare uint16 tokens; prepare "
                    + "the text itself with " +
                    $"`angpt prepare`, or put llm.c's header in front (256 int32: {Magic16}, {Version16}, number of "
                        + "tokens, zeros)."
                : $"'{path}' is no token shard: its magic number is {magic}, expected {Magic16} " +
                    $"(uint16 tokens) or {Magic32} (uint32 tokens); make token shards with `angpt prepare`.");
        }
        var expectedVersion = magic == Magic16 ? Version16 : Version32;
        if (version != expectedVersion)
        {
            throw new InvalidInputException(
                $"'{path}' has token shard version {version}, expected {expectedVersion} for magic " +
                $"number {magic}; prepare it again.");
        }
        if (count <= 0)
        {
            throw new InvalidInputException(
                $"'{path}' says that it has {count} tokens, expected at least 1; prepare it again " +
                "or remove it.");
        }
        var header = new TokenShardHeader(magic == Magic16 ? 2 : 4, count);
        if (fileSize != header.FileSize)
        {
            throw new InvalidInputException(
                $"'{path}' is {(fileSize < header.FileSize ? "truncated" : "too long")}: expected " +
                $"{header.FileSize} bytes for {count} tokens, has {fileSize}; prepare it again or remove it.");
        }
        return header;
    }
}
