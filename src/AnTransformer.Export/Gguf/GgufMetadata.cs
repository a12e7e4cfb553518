using System.Buffers.Binary;
using System.Text;

namespace AnTransformer.Export.Gguf;

/// <summary>The key-value pairs of a GGUF file, in the order in which they are added.</summary>
/// <remarks>
/// Source: the GGUF specification, version 3 (ggml, docs/gguf.md): little-endian; a string is a u64 length and UTF-8.
/// </remarks>
internal sealed class GgufMetadata : IDisposable
{
    private const uint TypeUInt32 = 4;
    private const uint TypeInt32 = 5;
    private const uint TypeFloat32 = 6;
    private const uint TypeBool = 7;
    private const uint TypeString = 8;
    private const uint TypeArray = 9;

    private readonly MemoryStream _bytes = new();

    public long Count { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);

    public void Add(string key, uint value)
    {
        Begin(key, TypeUInt32);
        Write(_bytes, value);
    }

    public void Add(string key, int value) => Add(key, checked((uint)value));

    public void Add(string key, float value)
    {
        Begin(key, TypeFloat32);
        Write(_bytes, BitConverter.SingleToUInt32Bits(value));
    }

    public void Add(string key, bool value)
    {
        Begin(key, TypeBool);
        _bytes.WriteByte(value ? (byte)1 : (byte)0);
    }

    public void Add(string key, string value)
    {
        Begin(key, TypeString);
        Write(_bytes, value);
    }

    public void Add(string key, IReadOnlyCollection<string> values)
    {
        BeginArray(key, TypeString, values.Count);
        foreach (var value in values)
            Write(_bytes, value);
    }

    public void Add(string key, IReadOnlyCollection<int> values)
    {
        BeginArray(key, TypeInt32, values.Count);
        foreach (var value in values)
            Write(_bytes, (uint)value);
    }

    public void Dispose() => _bytes.Dispose();

    public static void Write(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public static void Write(Stream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    public static void Write(Stream stream, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Write(stream, (long)bytes.Length);
        stream.Write(bytes);
    }

    private void Begin(string key, uint type)
    {
        Write(_bytes, key);
        Write(_bytes, type);
        Count++;
    }

    private void BeginArray(string key, uint type, int count)
    {
        Begin(key, TypeArray);
        Write(_bytes, type);
        Write(_bytes, (long)count);
    }
}
