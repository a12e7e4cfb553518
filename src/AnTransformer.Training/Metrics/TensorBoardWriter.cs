using System.Globalization;
using Google.Protobuf;

namespace AnTransformer.Training.Metrics;

/// <summary>
/// Writes scalars as a TensorBoard event file: TFRecord frames, each a serialized <c>tensorflow.Event</c>
/// (tensorflow/core/util/event.proto and framework/summary.proto, whose field numbers are named below).
/// </summary>
public sealed class TensorBoardWriter : IDisposable
{
    private const string FileVersion = "brain.Event:2";

    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    /// <summary>Starts a new event file, <c>events.out.tfevents.SECONDS.HOST</c>.</summary>
    /// <param name="directory">The log directory; made when missing. Event files already there stay.</param>
    /// <param name="resumedStep">
    /// Steps taken already when a run resumes; TensorBoard then forgets what earlier files say of later steps. 0 for a
    /// new run.
    /// </param>
    /// <param name="clock">Gives the wall time; the system's when null.</param>
    /// <exception cref="InvalidInputException">The directory or file cannot be made.</exception>
    public TensorBoardWriter(string directory, long resumedStep = 0, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _stream = Create(directory, _clock.GetUtcNow().ToUnixTimeSeconds());
        WriteEvent(0, output =>
        {
            output.WriteTag(EventField.FileVersion, WireFormat.WireType.LengthDelimited);
            output.WriteString(FileVersion);
        });
        if (resumedStep > 0)
            WriteEvent(resumedStep + 1, WriteSessionStart);
    }

    /// <summary>
    /// Adds the figures of a record at its step: <c>train/loss</c>, <c>train/learning_rate</c>, <c>val/loss</c>,
    /// <c>val/bits_per_byte</c> and so on.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Write(MetricsRecord record)
        => Write(record.Step, record.Figures().Select(figure => (TagOf(figure.Name), figure.Value)));

    /// <summary>Adds figures at a step.</summary>
    /// <param name="step">Optimizer steps taken.</param>
    /// <param name="figures">Tags, such as <c>inspection/stream</c>, and values.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Write(long step, IEnumerable<(string Tag, double Value)> figures)
    {
        var summary = Message(output =>
        {
            foreach (var (tag, value) in figures)
                WriteMessage(output, SummaryField.Value, Scalar(tag, (float)value));
        });
        WriteEvent(step, output => WriteMessage(output, EventField.Summary, summary));
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static string TagOf(string name) => name switch
    {
        "val_loss" => "val/loss",
        "bits_per_byte" => "val/bits_per_byte",
        _ => "train/" + name,
    };

    private static FileStream Create(string directory, long seconds)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture, $"events.out.tfevents.{seconds:d10}.{Environment.MachineName}");
        try
        {
            Directory.CreateDirectory(directory);
            var path = Path.Combine(directory, name);
            for (var i = 1; File.Exists(path); i++)
                path = Path.Combine(directory, $"{name}.{i}");
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{directory}: TensorBoard's event file cannot be made ({e.Message.TrimEnd('.')}); choose another "
                + "training.output or set logging.tensorboard to false.",
                e);
        }
    }

    private static byte[] Scalar(string tag, float value) => Message(output =>
    {
        output.WriteTag(ScalarField.Tag, WireFormat.WireType.LengthDelimited);
        output.WriteString(tag);
        output.WriteTag(ScalarField.SimpleValue, WireFormat.WireType.Fixed32);
        output.WriteFloat(value);
    });

    private static void WriteSessionStart(CodedOutputStream output)
    {
        const int statusField = 1;
        const int start = 1;
        WriteMessage(output, EventField.SessionLog, Message(log =>
        {
            log.WriteTag(statusField, WireFormat.WireType.Varint);
            log.WriteEnum(start);
        }));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer, leaveOpen: true))
            write(output);
        return buffer.ToArray();
    }

    private static void WriteMessage(CodedOutputStream output, int field, byte[] message)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(UnsafeByteOperations.UnsafeWrap(message));
    }

    private void WriteEvent(long step, Action<CodedOutputStream> writeContent)
        => _stream.Write(TFRecord.Frame(Message(output =>
        {
            output.WriteTag(EventField.WallTime, WireFormat.WireType.Fixed64);
            output.WriteDouble(_clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);
            output.WriteTag(EventField.Step, WireFormat.WireType.Varint);
            output.WriteInt64(step);
            writeContent(output);
        })));

    private static class EventField
    {
        public const int WallTime = 1;
        public const int Step = 2;
        public const int FileVersion = 3;
        public const int Summary = 5;
        public const int SessionLog = 7;
    }

    private static class SummaryField
    {
        public const int Value = 1;
    }

    private static class ScalarField
    {
        public const int Tag = 1;
        public const int SimpleValue = 2;
    }
}
