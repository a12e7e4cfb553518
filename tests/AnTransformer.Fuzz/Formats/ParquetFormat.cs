using System.Buffers.Binary;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Fuzz.Formats;

/// <summary>
/// Parquet: pages, a footer in Thrift's compact protocol, its length, four letters. Most changes are made in the footer and in the headers of
/// pages, where lengths and counts are; the end stays valid so that readers get there.
/// </summary>
internal sealed class ParquetFormat : IFormat
{
    private const int Trailer = 8;

    private static readonly byte[][] Files =
        [.. new[] { "plain", "snappy", "gzip", "zstd" }.Select(name => Seeds.File(name + ".parquet"))];

    public string Name => "parquet";

    public Sample Make(Random random)
    {
        var file = random.Pick(Files);
        var footer = file.Length - Trailer - BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(file.Length - Trailer));
        byte[] changed = random.Next(4) switch
        {
            0 => ByteMutator.Change(file, random, random.FewChanges()),
            1 => [.. Overwritten(file.AsSpan(0, footer).ToArray(), random), .. file.AsSpan(footer)],
            2 => [.. file.AsSpan(0, footer), .. Overwritten(file.AsSpan(footer, file.Length - Trailer - footer).ToArray(), random), .. file.AsSpan(file.Length - Trailer)],
            _ => WithFooter(file, footer, random),
        };
        return new Sample("text.parquet", changed);
    }

    public void Read(string path)
    {
        foreach (var document in DocumentSource.Read([path]))
            _ = document.Text.Length;
    }

    /// <summary>Some bytes changed, none more or fewer.</summary>
    private static byte[] Overwritten(byte[] bytes, Random random)
    {
        for (var change = 1 + random.Next(6); change > 0; change--)
        {
            var at = random.Next(bytes.Length);
            bytes[at] = random.Next(3) switch
            {
                0 => (byte)(bytes[at] ^ (1 << random.Next(8))),
                1 => (byte)random.Next(256),
                _ => random.Pick<byte>([0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF]),
            };
        }

        return bytes;
    }

    /// <summary>A footer that may be longer or shorter than it was, with its new length.</summary>
    private static byte[] WithFooter(byte[] file, int start, Random random)
    {
        var footer = ByteMutator.Change(file[start..^Trailer], random, random.FewChanges());
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, footer.Length);
        return [.. file.AsSpan(0, start), .. footer, .. length, .. file.AsSpan(file.Length - 4)];
    }
}
