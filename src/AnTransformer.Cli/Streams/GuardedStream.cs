namespace AnTransformer.Cli.Streams;

/// <summary>
/// A standard stream that never throws. A full disk, a closed terminal or a reader that is gone must not end a training
/// run, nor hide the exit code of what was being reported: the failure is kept, for <see cref="CommandLine"/> to look
/// at in the end.
/// </summary>
/// <param name="inner">Where the bytes go; null when there is nothing to write to.</param>
/// <param name="goesOn">
/// Whether later bytes are tried after a failure. Progress and messages are; a result with a hole in it would be worse
/// than a part of it.
/// </param>
internal sealed class GuardedStream(Stream? inner, bool goesOn) : Stream
{
    private readonly Lock _gate = new();

    /// <summary>Why bytes could not be written, the first time; null when all were.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether the reader closed its end: it has what it wanted, and the rest may be left undone.</summary>
    public bool IsUnread { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_gate)
        {
            if (!goesOn && (Failure is not null || IsUnread))
                return;
            if (inner is null)
            {
                Failure ??= "it is closed";
                return;
            }

            try
            {
                inner.Write(buffer);
            }
            catch (IOException e) when (e.HResult == Descriptor.BrokenPipe)
            {
                IsUnread = true;
            }
            catch (Exception e) when (
                e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
            {
                Failure ??= e.Message.TrimEnd('.');
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is held back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
