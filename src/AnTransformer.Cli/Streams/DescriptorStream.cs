using System.Runtime.InteropServices;

namespace AnTransformer.Cli.Streams;

/// <summary>Writes to a descriptor, and says what .NET's console streams hide: that nobody reads any more.</summary>
/// <param name="descriptor">The descriptor.</param>
internal sealed class DescriptorStream(int descriptor) : Stream
{
    private const int TryAgain = 11;            // EAGAIN on Linux
    private const int TryAgainBsd = 35;
    private const int Patience = 5;             // milliseconds

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">
    /// Writing failed; <see cref="Exception.HResult"/> is the system's number of the error.
    /// </exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var written = Descriptor.Write(descriptor, buffer, buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == (OperatingSystem.IsLinux() ? TryAgain : TryAgainBsd))
                Thread.Sleep(Patience);         // a pipe that does not block, and is full
            else if (error != Descriptor.Interrupted)
                throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
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
