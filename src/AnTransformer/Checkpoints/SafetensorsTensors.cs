using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Checkpoints;

/// <summary>Safetensors files as TorchSharp tensors.</summary>
public static class SafetensorsTensors
{
    /// <summary>The TorchSharp type of an element type.</summary>
    /// <param name="dtype">A defined element type.</param>
    public static ScalarType ToScalarType(this SafetensorsDtype dtype) => dtype switch
    {
        SafetensorsDtype.F64 => ScalarType.Float64,
        SafetensorsDtype.F32 => ScalarType.Float32,
        SafetensorsDtype.F16 => ScalarType.Float16,
        SafetensorsDtype.BF16 => ScalarType.BFloat16,
        SafetensorsDtype.I64 => ScalarType.Int64,
        SafetensorsDtype.I32 => ScalarType.Int32,
        SafetensorsDtype.I16 => ScalarType.Int16,
        SafetensorsDtype.I8 => ScalarType.Int8,
        SafetensorsDtype.U8 => ScalarType.Byte,
        SafetensorsDtype.BOOL => ScalarType.Bool,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type of safetensors."),
    };

    /// <summary>The element type of a TorchSharp type.</summary>
    /// <param name="type">Any real type.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format has no such type here.</exception>
    public static SafetensorsDtype ToSafetensorsDtype(this ScalarType type) => type switch
    {
        ScalarType.Float64 => SafetensorsDtype.F64,
        ScalarType.Float32 => SafetensorsDtype.F32,
        ScalarType.Float16 => SafetensorsDtype.F16,
        ScalarType.BFloat16 => SafetensorsDtype.BF16,
        ScalarType.Int64 => SafetensorsDtype.I64,
        ScalarType.Int32 => SafetensorsDtype.I32,
        ScalarType.Int16 => SafetensorsDtype.I16,
        ScalarType.Int8 => SafetensorsDtype.I8,
        ScalarType.Byte => SafetensorsDtype.U8,
        ScalarType.Bool => SafetensorsDtype.BOOL,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that safetensors files hold here."),
    };

    /// <summary>Reads a tensor.</summary>
    /// <param name="file">An open file.</param>
    /// <param name="name">One of its tensors.</param>
    /// <param name="dtype">The type to convert to, or null for the file's.</param>
    /// <param name="device">Where to put it; the CPU by default.</param>
    /// <returns>A tensor of the file's shape that owns its memory.</returns>
    /// <exception cref="InvalidInputException">The file has no such tensor.</exception>
    public static Tensor ToTensor(
        this SafetensorsFile file, string name, ScalarType? dtype = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        var entry = file[name];
        var tensor = empty([.. entry.Shape], dtype: entry.Dtype.ToScalarType(), device: CPU);
        using (var data = file.OpenStream(name))
            tensor.ReadBytesFromStream(data, BufferSizeFor(entry.ByteCount));
        var wanted = dtype ?? tensor.dtype;
        if (wanted == tensor.dtype && (device is null || device.type == DeviceType.CPU))
            return tensor;
        using (tensor)
            return tensor.to(wanted, device ?? CPU);
    }

    /// <summary>Writes tensors as one file, from their own memory and one at a time.</summary>
    /// <param name="stream">Where to write; left open.</param>
    /// <param name="tensors">
    /// Names and tensors in the order of the file. Tensors on another device or that are not contiguous are copied,
    /// each while it is written.
    /// </param>
    /// <param name="metadata">See <see cref="SafetensorsWriter"/>.</param>
    /// <exception cref="ArgumentException">A name is there twice, or a type is not one of the format's.</exception>
    public static void Write(
        Stream stream,
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var all = tensors.ToList();
        var writer = new SafetensorsWriter(
            stream,
            all.Select(
                pair => (pair.Key, pair.Value.dtype.ToSafetensorsDtype(), (IReadOnlyList<long>)pair.Value.shape)),
            metadata);
        using var noGradient = no_grad();
        foreach (var (name, tensor) in all)
        {
            using var scope = NewDisposeScope();
            var source = tensor.device_type == DeviceType.CPU ? tensor : tensor.cpu();
            source = source.is_contiguous() ? source : source.contiguous();
            using var sink = new TensorSink(writer, name);
            source.WriteBytesToStream(sink, BufferSizeFor(source.NumberOfElements * source.ElementSize));
        }

        writer.Complete();
    }

    /// <summary>Writes tensors as one file that is there whole or not at all.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="tensors">Names and tensors in the order of the file.</param>
    /// <param name="metadata">See <see cref="SafetensorsWriter"/>.</param>
    /// <exception cref="InvalidInputException">The file cannot be written; what was there before is intact.</exception>
    public static void Write(
        string path,
        IEnumerable<KeyValuePair<string, Tensor>> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    private static int BufferSizeFor(long byteCount) => (int)Math.Clamp(byteCount, 1, 1 << 20);

    /// <summary>What TorchSharp writes a tensor's bytes to.</summary>
    private sealed class TensorSink(SafetensorsWriter writer, string name) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(name, buffer);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
