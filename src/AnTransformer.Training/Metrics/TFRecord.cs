using System.Buffers.Binary;
using System.Numerics;

namespace AnTransformer.Training.Metrics;

/// <summary>
/// The record format of TensorFlow (tensorflow/core/lib/io/record_writer): length as uint64, its masked CRC-32C, the
/// data, its masked CRC-32C; little-endian.
/// </summary>
internal static class TFRecord
{
    private const uint MaskDelta = 0xa282ead8;

    /// <summary>One record.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        const int headerSize = sizeof(ulong) + sizeof(uint);
        var record = new byte[headerSize + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(
            record.AsSpan(sizeof(ulong)), MaskedCrc(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record.AsSpan(headerSize));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(headerSize + data.Length), MaskedCrc(data));
        return record;
    }

    // Masked, since a CRC over data that holds CRCs is weak.
    private static uint MaskedCrc(ReadOnlySpan<byte> data) => BitOperations.RotateRight(Crc32C(data), 15) + MaskDelta;

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
