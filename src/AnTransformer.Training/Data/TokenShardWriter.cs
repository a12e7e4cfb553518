using System.Runtime.InteropServices;

namespace AnTransformer.Training.Data;

/// <summary>
/// Writes one token shard (see <see cref="TokenShard"/>): streaming, to a temporary file beside the final one, which
/// takes its name in <see cref="Complete"/>. Disposing without completing deletes the temporary file.
/// </summary>
public sealed class TokenShardWriter : IDisposable
{
    private const int BufferLength = 1 << 18;

    private readonly string _temporaryPath;
    private readonly FileStream _stream;
    private readonly byte[] _buffer;
    private readonly int _vocabularySize;
    private int _buffered;
    private bool _completed;

    /// <summary>Creates the temporary file.</summary>
    /// <param name="path">The shard; replaced on completion if it exists.</param>
    /// <param name="vocabularySize">Ids must be below it; uint16 tokens up to 65,536, uint32 above.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public TokenShardWriter(string path, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        Path = path;
        _vocabularySize = vocabularySize;
        BytesPerToken = BytesPerTokenFor(vocabularySize);
        _temporaryPath = path + ".tmp";
        _buffer = new byte[BufferLength];
        _stream = new FileStream(_temporaryPath, FileMode.Create, FileAccess.Write, FileShare.None, 0);
        try
        {
            _stream.Write(new byte[TokenShardHeader.Size]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The shard's final path.</summary>
    public string Path { get; }

    /// <summary>2 (uint16) or 4 (uint32).</summary>
    public int BytesPerToken { get; }

    /// <summary>Tokens written so far.</summary>
    public int Length { get; private set; }

    /// <summary>2 (uint16) for vocabularies up to 65,536 entries, else 4 (uint32).</summary>
    /// <param name="vocabularySize">Number of ids.</param>
    public static int BytesPerTokenFor(int vocabularySize) => vocabularySize <= 1 << 16 ? 2 : 4;

    /// <summary>Appends tokens.</summary>
    /// <param name="tokens">Ids in <c>[0, vocabularySize)</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An id is not in the vocabulary; nothing of this call counts then.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// The shard would have more than 2³¹ − 1 tokens, which the format cannot say.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length > int.MaxValue - Length)
            throw new InvalidOperationException($"'{Path}' would exceed {int.MaxValue} tokens; start another shard.");
        var outside = TokenRange.IndexOutside(MemoryMarshal.Cast<int, uint>(tokens), _vocabularySize);
        if (outside >= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens[outside],
                $"The token is not in [0, {_vocabularySize}).");
        }
        while (!tokens.IsEmpty)
        {
            if (_buffered == _buffer.Length)
                FlushBuffer();
            var part = tokens[..Math.Min(tokens.Length, (_buffer.Length - _buffered) / BytesPerToken)];
            var target = _buffer.AsSpan(_buffered, part.Length * BytesPerToken);
            if (BytesPerToken == 2)
            {
                var narrow = MemoryMarshal.Cast<byte, ushort>(target);
                for (var i = 0; i < part.Length; i++)
                    narrow[i] = (ushort)part[i];
            }
            else
            {
                MemoryMarshal.AsBytes(part).CopyTo(target);
            }
            _buffered += target.Length;
            Length += part.Length;
            tokens = tokens[part.Length..];
        }
    }

    /// <summary>Writes the header, flushes to the disk and gives the file its name.</summary>
    /// <exception cref="InvalidOperationException">No token has been written: an empty shard is not valid.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Complete()
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        if (Length == 0)
            throw new InvalidOperationException($"'{Path}' would be empty.");
        FlushBuffer();
        _stream.Position = 0;
        _stream.Write(new TokenShardHeader(BytesPerToken, Length).ToBytes());
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporaryPath, Path, overwrite: true);
        _completed = true;
    }

    /// <summary>Closes the file; deletes it unless it is complete.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (!_completed)
            File.Delete(_temporaryPath);
    }

    private void FlushBuffer()
    {
        _stream.Write(_buffer.AsSpan(0, _buffered));
        _buffered = 0;
    }
}
