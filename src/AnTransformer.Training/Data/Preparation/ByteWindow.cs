namespace AnTransformer.Training.Data.Preparation;

/// <summary>A growing window onto a file's text: decompressed UTF-8 without the byte-order mark at its start.</summary>
internal sealed class ByteWindow : IDisposable
{
    private readonly Stream _stream;
    private readonly FileStream _file;
    private readonly int _capacity;
    private byte[] _buffer;
    private int _start;
    private int _end;

    public ByteWindow(string path, TextEncoding encoding, int capacity)
    {
        _stream = CorpusStream.Open(path, encoding, out _file);
        _capacity = capacity;
        _buffer = new byte[capacity];
    }

    /// <summary>The bytes read and not consumed.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Offset of the window in the text.</summary>
    public long Offset { get; private set; }

    /// <summary>Position in the file itself.</summary>
    public long FilePosition => _file.Position;

    /// <summary>Reads more bytes, growing the window's memory if it is full.</summary>
    /// <returns>False at the end of the file.</returns>
    public bool Fill()
    {
        if (_end == _buffer.Length)
        {
            if (_start > _buffer.Length / 2)
            {
                Bytes.CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            else
            {
                Move((int)Math.Min(2L * _buffer.Length, Array.MaxLength));
            }
        }
        var read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        return read > 0;
    }

    /// <summary>Moves the window's start.</summary>
    public void Consume(int count)
    {
        _start += count;
        Offset += count;
        if (_start == _end)
            _start = _end = 0;
        // One very large document must not cost its memory for the rest of the file.
        if (_buffer.Length > 8L * _capacity && _end - _start <= _capacity)
            Move(_capacity);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _file.Dispose();
    }

    private void Move(int capacity)
    {
        var moved = GC.AllocateUninitializedArray<byte>(capacity);
        Bytes.CopyTo(moved);
        (_start, _end, _buffer) = (0, _end - _start, moved);
    }
}
