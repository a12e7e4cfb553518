namespace AnTransformer.Training.Data.Preparation;

/// <summary>A growing window onto a file's decompressed bytes, without the byte-order mark at its start.</summary>
internal sealed class ByteWindow : IDisposable
{
    private readonly Stream _stream;
    private readonly FileStream _file;
    private byte[] _buffer;
    private int _start;
    private int _end;

    public ByteWindow(string path, int capacity)
    {
        _stream = CorpusStream.Open(path, out _file);
        _buffer = new byte[capacity];
        try
        {
            while (_end < 3 && Fill())
            {
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        if (Bytes.StartsWith("\uFEFF"u8))
            Consume(3);
    }

    /// <summary>The bytes read and not consumed.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Offset of the window in the decompressed file.</summary>
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
                var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(2L * _buffer.Length, Array.MaxLength));
                Bytes.CopyTo(larger);
                (_start, _end, _buffer) = (0, _end - _start, larger);
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
    }

    public void Dispose()
    {
        _stream.Dispose();
        _file.Dispose();
    }
}
