using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using AnTransformer.Files;

namespace AnTransformer.Checkpoints;

/// <summary>
/// A safetensors file, memory-mapped: opening reads and checks the header only, and tensors are read from the mapping
/// when they are asked for. Safe to read from several threads at once.
/// </summary>
/// <remarks>
/// Everything the header says is checked against the file before anything is read. The file must not be shortened while
/// it is open; replacing it by a rename, as <see cref="AtomicFile"/> does, leaves an open reader with the old content.
/// </remarks>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafetensorsHeader _header;
    private readonly byte* _data;
    private bool _disposed;

    private SafetensorsFile(string path, MemoryMappedFile map, MemoryMappedViewAccessor view, byte* start, long length)
    {
        Path = path;
        _map = map;
        _view = view;
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, 8));
        if (headerLength > SafetensorsHeader.MaxLength || (long)headerLength > length - 8)
        {
            throw new InvalidInputException(
                $"'{path}' is not a valid safetensors file: its header would have {headerLength} bytes, with "
                    + $"{length - 8} in "
                + $"the file and {SafetensorsHeader.MaxLength} allowed; write it again or fetch a fresh copy.");
        }

        _data = start + 8 + headerLength;
        _header = SafetensorsHeader.Parse(
            path, new ReadOnlySpan<byte>(start + 8, (int)headerLength), length - 8 - (long)headerLength);
    }

    /// <summary>The file's path as given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>The tensors' names in the header's order.</summary>
    public IReadOnlyList<string> Names => _header.Names;

    /// <summary>The header's free-form <c>__metadata__</c>; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>A tensor's type, shape and place.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidInputException">The file has no tensor of that name.</exception>
    public SafetensorsEntry this[string name] => _header.Entries.TryGetValue(name, out var entry)
        ? entry
        : throw new InvalidInputException(
            $"'{Path}' has no tensor '{name}' among its {Names.Count}; check that the file belongs to this model.");

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="InvalidInputException">
    /// It is missing, unreadable or malformed; the message says what and where.
    /// </exception>
    public static SafetensorsFile Open(string path)
    {
        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        byte* start = null;
        try
        {
            RegularFile.Require(path);
            // Deletable while open: Windows would otherwise not let a checkpoint be pruned or replaced.
            const FileShare Share = FileShare.Read | FileShare.Delete;
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, Share, bufferSize: 0);
            var length = stream.Length;
            if (length < 8)
            {
                throw new InvalidInputException(
                    $"'{path}' is not a valid safetensors file: it has {length} bytes where the header's length alone "
                        + "takes 8; "
                    + "write it again or fetch a fresh copy.");
            }

            // The mapping keeps its own descriptor.
            map = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new SafetensorsFile(path, map, view, start + view.PointerOffset, length);
        }
        catch (Exception e)
        {
            Release(map, view, start != null);
            if (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw new InvalidInputException(
                    $"Cannot read '{path}': {e.Message.TrimEnd('.')}; check that it is a file that you may read.", e);
            }

            throw;
        }
    }

    /// <summary>The file has a tensor of that name.</summary>
    /// <param name="name">Any name.</param>
    public bool Contains(string name) => _header.Entries.ContainsKey(name);

    /// <summary>
    /// A tensor's bytes, row-major and little-endian, in the mapping: valid until the file is disposed.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidInputException">There is no such tensor.</exception>
    /// <exception cref="NotSupportedException">It has 2 GiB or more; use <see cref="OpenStream"/>.</exception>
    public ReadOnlySpan<byte> GetBytes(string name)
    {
        var entry = this[name];
        return entry.ByteCount <= int.MaxValue
            ? new ReadOnlySpan<byte>(Pointer(entry), (int)entry.ByteCount)
            : throw new NotSupportedException($"Tensor '{name}' has {entry.ByteCount} bytes, more than a span holds.");
    }

    /// <summary>
    /// A tensor's bytes, of any number, as a stream over the mapping: valid until the file is disposed.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidInputException">There is no such tensor.</exception>
    public Stream OpenStream(string name)
    {
        var entry = this[name];
        return new UnmanagedMemoryStream(Pointer(entry), entry.ByteCount);
    }

    /// <summary>Copies a tensor, converting F64, F16 and BF16 to single precision.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such tensor, or it is not of a floating-point type.
    /// </exception>
    /// <exception cref="ArgumentException">The destination has another number of elements.</exception>
    public void CopyTo(string name, Span<float> destination)
    {
        var entry = Checked(name, destination.Length, "a floating-point type", SafetensorsDtype.F32,
            SafetensorsDtype.BF16,
            SafetensorsDtype.F16, SafetensorsDtype.F64);
        ElementConversion.ToSingle(entry.Dtype, Pointer(entry), destination);
    }

    /// <summary>Copies a tensor, converting F32, F16 and BF16 to double precision.</summary>
    /// <inheritdoc cref="CopyTo(string, Span{float})"/>
    public void CopyTo(string name, Span<double> destination)
    {
        var entry = Checked(name, destination.Length, "a floating-point type", SafetensorsDtype.F64,
            SafetensorsDtype.F32,
            SafetensorsDtype.BF16, SafetensorsDtype.F16);
        ElementConversion.ToDouble(entry.Dtype, Pointer(entry), destination);
    }

    /// <summary>Copies a part of a tensor, converting F32, F16 and BF16 to double precision.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="start">The first element, counted row-major.</param>
    /// <param name="destination">As many elements as are wanted.</param>
    /// <exception cref="InvalidInputException">
    /// There is no such tensor, or it is not of a floating-point type.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The tensor ends before the part does.</exception>
    public void CopyTo(string name, long start, Span<double> destination)
    {
        var entry = this[name];
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, entry.ElementCount - destination.Length);
        RequireType(entry, "a floating-point type", SafetensorsDtype.F64, SafetensorsDtype.F32, SafetensorsDtype.BF16,
            SafetensorsDtype.F16);
        ElementConversion.ToDouble(
            entry.Dtype, Pointer(entry) + (start * SafetensorsEntry.SizeOf(entry.Dtype)), destination);
    }

    /// <summary>Copies an integer tensor, widening where needed.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="destination">As many elements as the tensor has.</param>
    /// <exception cref="InvalidInputException">There is no such tensor, or it is not of an integer type.</exception>
    /// <exception cref="ArgumentException">The destination has another number of elements.</exception>
    public void CopyTo(string name, Span<long> destination)
    {
        var entry = Checked(name, destination.Length, "an integer type", SafetensorsDtype.I64, SafetensorsDtype.I32,
            SafetensorsDtype.I16, SafetensorsDtype.I8, SafetensorsDtype.U8, SafetensorsDtype.BOOL);
        ElementConversion.ToInt64(entry.Dtype, Pointer(entry), destination);
    }

    /// <summary>The tensor holds a NaN or an infinity; never true of integer types.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="InvalidInputException">There is no such tensor.</exception>
    public bool ContainsNonFinite(string name)
    {
        var entry = this[name];
        return NonFinite.Contains(entry.Dtype, Pointer(entry), entry.ElementCount);
    }

    /// <summary>Closes the mapping. Spans and streams over it must not be used any more.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Release(_map, _view, acquired: true);
    }

    private SafetensorsEntry Checked(string name, int count, string kind, params ReadOnlySpan<SafetensorsDtype> dtypes)
    {
        var entry = this[name];
        RequireType(entry, kind, dtypes);
        return entry.ElementCount == count
            ? entry
            : throw new ArgumentException(
                $"Tensor '{name}' has {entry.ElementCount} elements, the destination {count}.", nameof(count));
    }

    private void RequireType(SafetensorsEntry entry, string kind, params ReadOnlySpan<SafetensorsDtype> dtypes)
    {
        if (!dtypes.Contains(entry.Dtype))
        {
            throw new InvalidInputException(
                $"Tensor '{entry.Name}' of '{Path}' is {entry.Dtype} where {kind} is needed; check that the file "
                    + "belongs to "
                + "this model.");
        }
    }

    private byte* Pointer(SafetensorsEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _data + entry.Offset;
    }

    private static void Release(MemoryMappedFile? map, MemoryMappedViewAccessor? view, bool acquired)
    {
        if (acquired)
            view!.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        map?.Dispose();
    }
}
