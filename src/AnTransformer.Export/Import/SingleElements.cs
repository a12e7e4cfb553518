using System.Runtime.InteropServices;
using AnTransformer.Checkpoints;

namespace AnTransformer.Export.Import;

/// <summary>
/// Reads a tensor of F32, F16 or BF16 in pieces of single precision, whatever its size. Widening is exact.
/// </summary>
internal static class SingleElements
{
    private const int Piece = 1 << 18;

    /// <summary>Passes all elements on, row-major.</summary>
    /// <param name="file">An open file.</param>
    /// <param name="name">One of its tensors, of one of these types.</param>
    /// <param name="take">Receives the next elements; the span is valid during the call only.</param>
    public static void Read(SafetensorsFile file, string name, Action<ReadOnlySpan<float>> take)
    {
        var entry = file[name];
        var size = SafetensorsEntry.SizeOf(entry.Dtype);
        var count = (int)Math.Min(Piece, entry.ElementCount);
        var bytes = new byte[count * size];
        var singles = new float[entry.Dtype == SafetensorsDtype.F32 ? 0 : count];
        using var stream = file.OpenStream(name);
        for (var left = entry.ElementCount; left > 0; left -= count)
        {
            count = (int)Math.Min(count, left);
            var piece = bytes.AsSpan(0, count * size);
            stream.ReadExactly(piece);
            if (entry.Dtype == SafetensorsDtype.F32)
            {
                take(MemoryMarshal.Cast<byte, float>(piece));
                continue;
            }

            Widen(entry.Dtype, piece, singles);
            take(singles.AsSpan(0, count));
        }
    }

    private static void Widen(SafetensorsDtype dtype, ReadOnlySpan<byte> piece, Span<float> singles)
    {
        if (dtype == SafetensorsDtype.F16)
        {
            var halves = MemoryMarshal.Cast<byte, Half>(piece);
            for (var i = 0; i < halves.Length; i++)
                singles[i] = (float)halves[i];
            return;
        }

        var words = MemoryMarshal.Cast<byte, ushort>(piece);
        for (var i = 0; i < words.Length; i++)
            singles[i] = BitConverter.UInt32BitsToSingle((uint)words[i] << 16);
    }
}
