using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AnTransformer.Checkpoints;

/// <summary>
/// Writes a safetensors file as a stream: the header is written first, from the declared entries, then each tensor's
/// data in the order of the entries and in as many pieces as is convenient. The same entries and data give the same
/// bytes.
/// </summary>
/// <remarks>
/// The header is padded with spaces so that the data begins at a multiple of 8 (safetensors format specification). The
/// stream is left open. Errors of the stream pass through: write through <see cref="AtomicFile"/> or
/// <see cref="AtomicDirectory"/>.
/// </remarks>
public sealed class SafetensorsWriter
{
    private static readonly KeyValuePair<string, string>[] DefaultMetadata = [new("format", "pt")];
    private readonly Stream _stream;
    private readonly SafetensorsEntry[] _entries;
    private int _current;
    private long _written;

    /// <summary>Writes the header.</summary>
    /// <param name="stream">Where to write; positioned at the beginning of the file.</param>
    /// <param name="tensors">Name, type and shape of each tensor in the order of their data.</param>
    /// <param name="metadata">
    /// The header's <c>__metadata__</c>, in the order of keys; by default {"format": "pt"}.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A name is there twice or reserved, a dimension is negative, or a shape overflows.
    /// </exception>
    public SafetensorsWriter(
        Stream stream,
        IEnumerable<(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape)> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        _stream = stream;
        _entries = Place(tensors);
        WriteHeader(metadata ?? DefaultMetadata);
        SkipEmpty();
    }

    /// <summary>The tensors with their places in the data.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries => _entries;

    /// <summary>Writes the next bytes of a tensor, row-major and little-endian.</summary>
    /// <param name="name">The tensor whose turn it is.</param>
    /// <param name="data">Some or all of the bytes that it still lacks.</param>
    /// <exception cref="InvalidOperationException">
    /// It is another tensor's turn, or these are too many bytes.
    /// </exception>
    public void Write(string name, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return;
        var entry = _current < _entries.Length ? _entries[_current] : null;
        if (entry?.Name != name)
            throw new InvalidOperationException($"Data of tensor '{name}' where '{entry?.Name ?? "the end"}' is due.");
        var rest = entry.ByteCount - _written;
        if (data.Length > rest)
            throw new InvalidOperationException($"Tensor '{name}' takes {rest} more bytes, not {data.Length}.");
        _stream.Write(data);
        _written += data.Length;
        SkipEmpty();
    }

    /// <summary>Writes the next elements of a tensor, whose type must be the span's.</summary>
    /// <typeparam name="T">
    /// The element's type, e.g. <see cref="float"/> for F32, <see cref="Half"/> for F16.
    /// </typeparam>
    /// <param name="name">The tensor whose turn it is.</param>
    /// <param name="data">Some or all of the elements that it still lacks.</param>
    /// <exception cref="InvalidOperationException">
    /// It is another tensor's turn, or the data does not fit it.
    /// </exception>
    public void Write<T>(string name, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        SafetensorsDtype? dtype = default(T) switch
        {
            double => SafetensorsDtype.F64,
            float => SafetensorsDtype.F32,
            Half => SafetensorsDtype.F16,
            long => SafetensorsDtype.I64,
            int => SafetensorsDtype.I32,
            short => SafetensorsDtype.I16,
            sbyte => SafetensorsDtype.I8,
            byte => SafetensorsDtype.U8,
            bool => SafetensorsDtype.BOOL,
            _ => null,
        };
        if (_current < _entries.Length && _entries[_current].Name == name && _entries[_current].Dtype != dtype)
            throw new InvalidOperationException(
                $"Tensor '{name}' is {_entries[_current].Dtype}, the data {typeof(T).Name}.");
        while (!data.IsEmpty)
        {
            // AsBytes counts in 32 bits.
            var part = data[..Math.Min(data.Length, 1 << 24)];
            Write(name, MemoryMarshal.AsBytes(part));
            data = data[part.Length..];
        }
    }

    /// <summary>Checks that every tensor got all its data, and flushes the stream.</summary>
    /// <exception cref="InvalidOperationException">Data is missing.</exception>
    public void Complete()
    {
        if (_current < _entries.Length)
        {
            var entry = _entries[_current];
            throw new InvalidOperationException($"Tensor '{entry.Name}' lacks {entry.ByteCount - _written} bytes.");
        }

        _stream.Flush();
    }

    private static SafetensorsEntry[] Place(
        IEnumerable<(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape)> tensors)
    {
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>();
        var offset = 0L;
        foreach (var (name, dtype, shape) in tensors)
        {
            if (name == SafetensorsHeader.MetadataKey || !names.Add(name))
                throw new ArgumentException($"The name '{name}' is reserved or there twice.", nameof(tensors));
            if (shape.Any(dimension => dimension < 0))
                throw new ArgumentException($"Tensor '{name}' has a negative dimension.", nameof(tensors));
            var size = SafetensorsEntry.ByteCountOf(dtype, shape);
            if (size < 0 || offset > long.MaxValue - size)
                throw new ArgumentException($"The shape of tensor '{name}' overflows.", nameof(tensors));
            entries.Add(new SafetensorsEntry(name, dtype, [.. shape], offset, size));
            offset += size;
        }

        return [.. entries];
    }

    private void WriteHeader(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsHeader.MetadataKey);
            foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                json.WriteString(key, value);
            json.WriteEndObject();
            foreach (var entry in _entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Dtype.ToString());
                json.WriteStartArray("shape");
                foreach (var dimension in entry.Shape)
                    json.WriteNumberValue(dimension);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(entry.Offset);
                json.WriteNumberValue(entry.Offset + entry.ByteCount);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        if (buffer.Length - 8 > SafetensorsHeader.MaxLength)
            throw new ArgumentException(
                $"The header is longer than {SafetensorsHeader.MaxLength} bytes.", nameof(metadata));
        var bytes = buffer.GetBuffer().AsSpan(0, (int)buffer.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, buffer.Length - 8);
        _stream.Write(bytes);
    }

    private void SkipEmpty()
    {
        while (_current < _entries.Length && _written == _entries[_current].ByteCount)
        {
            _current++;
            _written = 0;
        }
    }
}
