using System.IO.MemoryMappedFiles;
using AnTransformer.Files;
using Microsoft.Win32.SafeHandles;

namespace AnTransformer.Training.Data;

/// <summary>
/// A memory-mapped, read-only file of token ids in llm.c's format: a header of 256 int32 (magic 20240520, version 1,
/// token count), then little-endian uint16 tokens; magic 20240801 and version 7 mark uint32 tokens. Safe to read from
/// several threads at once. The file must not be truncated while it is open.
/// </summary>
public sealed unsafe class TokenShard : IDisposable
{
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeMemoryMappedViewHandle _handle;
    private readonly byte* _tokens;
    private bool _disposed;

    private TokenShard(string path, TokenShardHeader header, FileStream stream)
    {
        Path = path;
        Length = header.TokenCount;
        BytesPerToken = header.BytesPerToken;
        // The view needs neither the mapping nor the file: a data set of a thousand shards must not take as many
        // descriptors.
        using (var file = MemoryMappedFile.CreateFromFile(
            stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, false))
            _view = file.CreateViewAccessor(0, header.FileSize, MemoryMappedFileAccess.Read);
        _handle = _view.SafeMemoryMappedViewHandle;
        byte* pointer = null;
        _handle.AcquirePointer(ref pointer);
        _tokens = pointer + _view.PointerOffset + TokenShardHeader.Size;
    }

    /// <summary>The file, as it was named.</summary>
    public string Path { get; }

    /// <summary>Number of tokens.</summary>
    public long Length { get; }

    /// <summary>2 (uint16) or 4 (uint32).</summary>
    public int BytesPerToken { get; }

    /// <summary>Maps a shard after validating its magic number, version, token count and exact size.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file cannot be read or is no complete token shard.</exception>
    public static TokenShard Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = RegularFile.Open(path, bufferSize: 1);
            var bytes = new byte[TokenShardHeader.Size];
            var header =
                TokenShardHeader.Parse(
                    bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, false)), path, stream.Length);
            return new TokenShard(path, header, stream);
        }
        catch (Exception exception)
        {
            stream?.Dispose();
            if (exception is IOException or UnauthorizedAccessException)
                throw new InvalidInputException(
                    $"Cannot read the token shard '{path}': {exception.Message}", exception);
            throw;
        }
    }

    /// <summary>Reads <c>destination.Length</c> tokens from <paramref name="offset"/> on, widened to int64.</summary>
    /// <param name="offset">Index of the first token, not of a byte.</param>
    /// <param name="destination">Receives the tokens.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <c>[0, Length)</c>.</exception>
    public void CopyTo(long offset, Span<long> destination)
    {
        CheckRange(offset, destination.Length);
        if (BytesPerToken == 2)
            TokenWidening.Widen(new ReadOnlySpan<ushort>(_tokens + (offset * 2), destination.Length), destination);
        else
            TokenWidening.Widen(new ReadOnlySpan<uint>(_tokens + (offset * 4), destination.Length), destination);
    }

    /// <summary>Reads <c>destination.Length</c> tokens from <paramref name="offset"/> on, widened to int32.</summary>
    /// <param name="offset">Index of the first token, not of a byte.</param>
    /// <param name="destination">
    /// Receives the tokens; an id above 2³¹ − 1 (see <see cref="Validate(int)"/>) becomes negative.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <c>[0, Length)</c>.</exception>
    public void CopyTo(long offset, Span<int> destination)
    {
        CheckRange(offset, destination.Length);
        if (BytesPerToken == 2)
            TokenWidening.Widen(new ReadOnlySpan<ushort>(_tokens + (offset * 2), destination.Length), destination);
        else
            new ReadOnlySpan<int>(_tokens + (offset * 4), destination.Length).CopyTo(destination);
    }

    /// <summary>
    /// Checks every token of the shard against a vocabulary; reads the whole file once, at the speed of memory.
    /// </summary>
    /// <param name="vocabularySize">Every id must be in <c>[0, vocabularySize)</c>.</param>
    /// <exception cref="InvalidInputException">
    /// An id is out of range; the message names file, token offset and id.
    /// </exception>
    public void Validate(int vocabularySize) => Validate(vocabularySize, 0, Length);

    /// <summary>Checks a range of tokens against a vocabulary.</summary>
    /// <param name="vocabularySize">Every id must be in <c>[0, vocabularySize)</c>.</param>
    /// <param name="offset">Index of the first token.</param>
    /// <param name="count">Number of tokens.</param>
    /// <exception cref="InvalidInputException">
    /// An id is out of range; the message names file, token offset and id.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <c>[0, Length)</c>.</exception>
    public void Validate(int vocabularySize, long offset, long count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        CheckRange(offset, count);
        const int BlockLength = 1 << 20;
        for (var done = 0L; done < count; done += BlockLength)
        {
            var start = offset + done;
            var length = (int)Math.Min(BlockLength, count - done);
            var index = BytesPerToken == 2
                ? TokenRange.IndexOutside(new ReadOnlySpan<ushort>(_tokens + (start * 2), length), vocabularySize)
                : TokenRange.IndexOutside(new ReadOnlySpan<uint>(_tokens + (start * 4), length), vocabularySize);
            if (index < 0)
                continue;
            var at = start + index;
            var id = BytesPerToken == 2 ? ((ushort*)_tokens)[at] : ((uint*)_tokens)[at];
            throw new InvalidInputException($"'{Path}' holds token id {id} at token offset {at}, but the vocabulary "
                + "has " +
                $"{vocabularySize} entries; prepare the data with the model's tokenizer, or for shards from elsewhere "
                    + "give the " +
                "vocabulary of theirs as tokenizer.vocab_size (50257 for llm.c's GPT-2 tokens, 128256 for Llama 3's).");
        }
    }

    /// <summary>Unmaps the file.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _handle.ReleasePointer();
        _view.Dispose();
    }

    private void CheckRange(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Length - offset, nameof(count));
    }
}
