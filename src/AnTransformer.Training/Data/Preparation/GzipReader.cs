using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Decompresses gzip files of one or several members (RFC 1952). .NET's <see cref="GZipStream"/> takes whatever follows
/// a member and is no header, such as a damaged second member, for the end of the file, and has one message for all
/// that can be wrong; so the frame is read here, and <see cref="DeflateStream"/> does what is inside.
/// </summary>
internal sealed class GzipReader(Stream file, string path) : ForwardStream
{
    private const int Hcrc = 2, Extra = 4, Name = 8, Comment = 16, Reserved = 0xE0;
    private const int TrailerSize = 8;

    private readonly Input _input = new(file);
    private readonly Crc32 _checksum = new();
    private DeflateStream? _member;
    private long _memberBytes;
    private long _bytes;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        while (!_ended && !buffer.IsEmpty)
        {
            if (_member is null && !TryStartMember())
                break;
            int read;
            try
            {
                read = _member!.Read(buffer);
            }
            catch (InvalidDataException exception)
            {
                throw _input.RanOut ? Truncated() : Broken("cannot be decompressed: it is damaged", exception);
            }

            if (read > 0)
            {
                _checksum.Append(buffer[..read]);
                _memberBytes += read;
                _bytes += read;
                return read;
            }

            EndMember();
        }

        _ended = true;
        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _member?.Dispose();
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <returns>False at the end of the file.</returns>
    private bool TryStartMember()
    {
        var isFirst = _input.IsAtStart;
        var start = _input.Peek(2);
        if (start.IsEmpty && !isFirst)
            return false;
        if (start.Length < 2 && (start.IsEmpty || start[0] == 0x1F))
            throw Truncated();
        if (start is not [0x1F, 0x8B])
        {
            if (isFirst)
                throw new InvalidInputException(
                    $"'{path}' is no gzip file; rename it if it is not compressed, or get it again.");
            return IsPadding() ? false : throw Broken("is followed by bytes that are none", null);
        }

        var header = Take(10);
        if (header[2] != 8 || (header[3] & Reserved) != 0)
            throw Broken("has a header of an unknown kind", null);
        var flags = header[3];
        if ((flags & Extra) != 0)
            Skip(BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
        if ((flags & Name) != 0)
            SkipText();
        if ((flags & Comment) != 0)
            SkipText();
        if ((flags & Hcrc) != 0)
            Skip(2);
        _member = new DeflateStream(_input, CompressionMode.Decompress, leaveOpen: true);
        _memberBytes = 0;
        _checksum.Reset();
        return true;
    }

    /// <summary>
    /// Finds the trailer. The inflater does not say where the data end, only that they end in the last bytes it was
    /// given; but what must follow them is known: their checksum and length.
    /// </summary>
    private void EndMember()
    {
        _member!.Dispose();
        _member = null;
        Span<byte> trailer = stackalloc byte[TrailerSize];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _checksum.GetCurrentHashAsUInt32());
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)_memberBytes);
        var bytes = _input.PeekLast(TrailerSize + 2);
        var found = IndexOfTrailer(bytes, trailer, endsWithFile: _input.Ended);
        if (found >= 0)
        {
            _input.EndLast(found + TrailerSize);
            return;
        }

        for (var part = TrailerSize - 1; part > 0; part--)
        {
            if (_input.Ended && bytes.EndsWith(trailer[..part]))
                throw Truncated();
        }

        throw _input.RanOut || (_input.Ended && bytes.Length < TrailerSize)
            ? Truncated()
            : Broken("has a wrong checksum: it is damaged", null);
    }

    /// <summary>
    /// The first place where the trailer stands and a member or the file's end follows. The data may end with what the
    /// trailer begins with (an empty member's are a zero before eight zeros), so the first place alone can be one too
    /// early.
    /// </summary>
    private static int IndexOfTrailer(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> trailer, bool endsWithFile)
    {
        var first = bytes.IndexOf(trailer);
        for (var at = first; at >= 0;)
        {
            var rest = bytes[(at + TrailerSize)..];
            if (rest is [0x1F, 0x8B, ..] || (rest.IsEmpty && endsWithFile))
                return at;
            var next = bytes[(at + 1)..].IndexOf(trailer);
            at = next < 0 ? -1 : at + 1 + next;
        }

        return first;
    }

    private bool IsPadding()
    {
        while (_input.Peek(1) is [0, ..])
            _input.Consume(1);
        return _input.Peek(1).IsEmpty;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var bytes = _input.Peek(count);
        if (bytes.Length < count)
            throw Truncated();
        _input.Consume(count);
        return bytes;
    }

    private void Skip(int count)
    {
        for (; count > 0; count--)
            Take(1);
    }

    private void SkipText()
    {
        while (Take(1)[0] != 0)
        {
            // Names and comments end with a zero.
        }
    }

    private InvalidInputException Truncated() => Broken("ends too early: the file is truncated", null);

    private InvalidInputException Broken(string what, Exception? inner)
    {
        var place = _bytes > 0 ? $"after {_bytes} decompressed bytes " : "";
        var message = $"'{path}': its gzip data {place}{what}; get the file again or leave it out.";
        return inner is null ? new InvalidInputException(message) : new InvalidInputException(message, inner);
    }

    /// <summary>
    /// The compressed bytes, handed to the inflater in pieces so small that what it has not used is still here.
    /// </summary>
    private sealed class Input(Stream file) : ForwardStream
    {
        private const int Piece = 512;

        private readonly byte[] _buffer = new byte[1 << 16];
        private int _start;
        private int _end;
        private int _last;
        private bool _moved;

        /// <summary>Whether the file has been read to its end.</summary>
        public bool Ended { get; private set; }

        /// <summary>Whether the inflater wanted more than there is.</summary>
        public bool RanOut { get; private set; }

        public bool IsAtStart => _start == 0 && !_moved;

        public override int Read(Span<byte> buffer)
        {
            var bytes = Peek(1);
            if (bytes.IsEmpty)
            {
                RanOut = true;
                return 0;
            }

            var count = Math.Min(Math.Min(buffer.Length, Piece), _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(buffer);
            _last = _start;
            _start += count;
            return count;
        }

        /// <summary>The next bytes; fewer at the end of the file. Valid until more is read.</summary>
        public ReadOnlySpan<byte> Peek(int count)
        {
            Fill(_start, count);
            return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
        }

        public void Consume(int count) => _last = _start += count;

        /// <summary>The piece handed out last and some bytes after it.</summary>
        public ReadOnlySpan<byte> PeekLast(int more)
        {
            Fill(_last, _start - _last + more);
            return _buffer.AsSpan(_last, Math.Min(_start - _last + more, _end - _last));
        }

        /// <summary>Goes on at a place in the piece handed out last.</summary>
        public void EndLast(int offset) => _last = _start = _last + offset;

        private void Fill(int from, int count)
        {
            if (_end - from >= count || Ended)
                return;
            if (from > 0)
            {
                // The piece handed out last stays.
                var keep = Math.Min(from, _last);
                _buffer.AsSpan(keep, _end - keep).CopyTo(_buffer);
                (_start, _end, _last, from) = (_start - keep, _end - keep, _last - keep, from - keep);
                _moved |= keep > 0;
            }

            while (_end - from < count && !Ended)
            {
                var read = file.Read(_buffer, _end, _buffer.Length - _end);
                _end += read;
                Ended = read == 0;
            }
        }
    }
}
