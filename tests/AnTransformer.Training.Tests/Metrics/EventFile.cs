using System.Buffers.Binary;
using System.Text;

namespace AnTransformer.Training.Tests.Metrics;

/// <summary>
/// Reads TensorBoard event files independently of the library that writes them: TFRecord frames with their checksums, and the
/// protobuf wire format by hand.
/// </summary>
internal static class EventFile
{
    /// <summary>An event: wall time, step, and either a version, scalars or the status of a session.</summary>
    public sealed record Event(
        double WallTime, long Step, string? Version, IReadOnlyList<(string Tag, float Value)> Scalars, long? SessionStatus);

    public static List<Event> Read(string path) => Frames(File.ReadAllBytes(path)).ConvertAll(ParseEvent);

    /// <summary>CRC-32C by the definition: polynomial 0x1EDC6F41 reflected, bit by bit (RFC 3720, appendix B.4).</summary>
    public static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
        }

        return ~crc;
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = Crc32C(data);
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private static List<byte[]> Frames(byte[] file)
    {
        var frames = new List<byte[]>();
        for (var at = 0; at < file.Length;)
        {
            var length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at)));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            var data = file.AsSpan(at + 12, length).ToArray();
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            frames.Add(data);
            at += 16 + length;
        }

        return frames;
    }

    private static Event ParseEvent(byte[] message)
    {
        var result = new Event(0, 0, null, [], null);
        foreach (var (field, number, bytes) in Fields(message))
        {
            result = field switch
            {
                1 => result with { WallTime = BitConverter.UInt64BitsToDouble(number) },
                2 => result with { Step = (long)number },
                3 => result with { Version = Encoding.UTF8.GetString(bytes) },
                5 => result with { Scalars = Fields(bytes).ConvertAll(value => ParseScalar(value.Bytes)) },
                7 => result with { SessionStatus = (long)Fields(bytes).Single(value => value.Field == 1).Number },
                _ => throw new InvalidDataException($"Unexpected field {field}."),
            };
        }

        return result;
    }

    private static (string Tag, float Value) ParseScalar(byte[] message)
    {
        var fields = Fields(message);
        Assert.Equal([1, 2], fields.Select(field => field.Field));
        return (Encoding.UTF8.GetString(fields[0].Bytes), BitConverter.UInt32BitsToSingle((uint)fields[1].Number));
    }

    private static List<(int Field, ulong Number, byte[] Bytes)> Fields(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var (number, bytes) = (0UL, Array.Empty<byte>());
            switch (key & 7)
            {
                case 0:
                    number = Varint(message, ref at);
                    break;
                case 1:
                    number = BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at));
                    at += 8;
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    bytes = message.AsSpan(at, length).ToArray();
                    at += length;
                    break;
                case 5:
                    number = BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"Unexpected wire type {key & 7}.");
            }

            fields.Add(((int)(key >> 3), number, bytes));
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return value;
        }
    }
}
