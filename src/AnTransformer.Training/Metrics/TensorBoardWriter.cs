using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;

namespace AnTransformer.Training.Metrics;

/// <summary>
/// Writes scalars as a TensorBoard event file: records framed as in TensorFlow's TFRecord format, each a serialized
/// <c>tensorflow.Event</c> (fields: wall_time 1, step 2, file_version 3, summary 5).
/// </summary>
public sealed class TensorBoardWriter : IDisposable
{
    private readonly FileStream _stream;

    /// <summary>Starts a new event file.</summary>
    /// <param name="directory">The log directory; made when missing.</param>
    /// <param name="clock">Gives the wall time; the system's when null.</param>
    public TensorBoardWriter(string directory, TimeProvider? clock = null)
    {
        Clock = clock ?? TimeProvider.System;
        Directory.CreateDirectory(directory);
        var name = $"events.out.tfevents.{Clock.GetUtcNow().ToUnixTimeSeconds()}.{Environment.MachineName}.{Environment.ProcessId}";
        _stream = new FileStream(Path.Combine(directory, name), FileMode.Append, FileAccess.Write, FileShare.Read);
        WriteEvent(0, output =>
        {
            output.WriteTag(3, WireFormat.WireType.LengthDelimited);
            output.WriteString("brain.Event:2");
        });
    }

    private TimeProvider Clock { get; }

    /// <summary>Adds the figures of a record, as <c>train/loss</c>, <c>val/loss</c> and so on, at its step.</summary>
    /// <param name="record">The record.</param>
    public void Write(MetricsRecord record)
        => WriteEvent(record.Step, output =>
        {
            output.WriteTag(5, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(Message(summary =>
            {
                foreach (var (name, value) in record.Figures())
                {
                    summary.WriteTag(1, WireFormat.WireType.LengthDelimited);
                    summary.WriteBytes(Message(scalar =>
                    {
                        scalar.WriteTag(1, WireFormat.WireType.LengthDelimited);
                        scalar.WriteString(TagOf(name));
                        scalar.WriteTag(2, WireFormat.WireType.Fixed32);
                        scalar.WriteFloat((float)value);
                    }));
                }
            }));
        });

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    /// <summary>TFRecord's checksum: CRC-32C, rotated right by 15 bits plus a constant.</summary>
    internal static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8u;
    }

    private static string TagOf(string name) => name switch
    {
        "val_loss" => "val/loss",
        "bits_per_byte" => "val/bits_per_byte",
        _ => "train/" + name,
    };

    private static ByteString Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
            write(output);
        return ByteString.CopyFrom(buffer.ToArray());
    }

    private void WriteEvent(long step, Action<CodedOutputStream> content)
    {
        var message = Message(output =>
        {
            output.WriteTag(1, WireFormat.WireType.Fixed64);
            output.WriteDouble(Clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            output.WriteTag(2, WireFormat.WireType.Varint);
            output.WriteInt64(step);
            content(output);
        });
        var record = new byte[12 + message.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        message.Span.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + message.Length), MaskedCrc(message.Span));
        _stream.Write(record);
        _stream.Flush();
    }
}
