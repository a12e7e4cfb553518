using System.Buffers.Binary;

namespace AnTransformer.Fuzz.Mutations;

/// <summary>Changes bytes without knowing what they mean.</summary>
internal static class ByteMutator
{
    /// <summary>A changed copy.</summary>
    /// <param name="bytes">The original.</param>
    /// <param name="random">Chance.</param>
    /// <param name="changes">Number of changes.</param>
    /// <param name="from">Changes begin at this byte or after it.</param>
    public static byte[] Change(byte[] bytes, Random random, int changes, int from = 0)
    {
        var result = bytes.ToList();
        for (var change = 0; change < changes; change++)
            Change(result, random, Math.Min(from, result.Count));
        return [.. result];
    }

    private static void Change(List<byte> bytes, Random random, int from)
    {
        var at = random.Next(from, bytes.Count + 1);
        var rest = bytes.Count - at;
        var length = Math.Min(rest, 1 + (random.Next(3) == 0 ? random.Next(64) : random.Next(8)));
        switch (random.Next(9))
        {
            case 0 when rest > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when rest > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                Write(bytes, at, Interesting.Integers[random.Next(Interesting.Integers.Length)], 1 << random.Next(4));
                break;
            case 3:
                Write(bytes, at, bytes.Count + random.Next(-2, 3), 1 << random.Next(4));
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 6:
                var noise = new byte[1 + random.Next(8)];
                random.NextBytes(noise);
                bytes.InsertRange(at, noise);
                break;
            case 7 when random.Next(4) == 0:
                bytes.RemoveRange(at, rest);
                break;
            default:
                for (var i = at; i < at + length; i++)
                    bytes[i] = 0;
                break;
        }
    }

    private static void Write(List<byte> bytes, int at, long value, int size)
    {
        Span<byte> memory = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(memory, value);
        for (var i = 0; i < size && at + i < bytes.Count; i++)
            bytes[at + i] = memory[i];
    }
}
