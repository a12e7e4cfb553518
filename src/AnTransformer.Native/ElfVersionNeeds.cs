using System.Buffers.Binary;
using System.Text;

namespace AnTransformer.Native;

/// <summary>
/// The symbol versions that an ELF64 little-endian shared object needs (<c>.gnu.version_r</c>), found the way the
/// dynamic loader finds them: through <c>PT_DYNAMIC</c>'s <c>DT_VERNEED</c>, <c>DT_VERNEEDNUM</c> and <c>DT_STRTAB</c>.
/// </summary>
/// <remarks>
/// Our own rather than a library's: what is needed is where a version's hash and flags lie in the file, to patch them
/// in place, which libraries that parse ELF into objects do not say.
/// Sources: System V ABI, "Object Files" and "Program Loading"; Linux Standard Base, "Symbol Versioning". Every offset
/// is checked against the file's length: a damaged file raises <see cref="InvalidDataException"/> and nothing else.
/// </remarks>
internal sealed class ElfVersionNeeds
{
    private const ushort VerFlgWeak = 0x2;
    private const int ProgramHeaderSize = 56;
    private const int DynamicSize = 16;
    private const uint PtLoad = 1;
    private const uint PtDynamic = 2;
    private const long DtNull = 0;
    private const long DtStrTab = 5;
    private const long DtStrSz = 10;
    private const long DtVerNeed = 0x6ffffffe;
    private const long DtVerNeedNum = 0x6fffffff;

    private readonly byte[] _image;
    private readonly List<Entry> _entries = [];

    private ElfVersionNeeds(byte[] image) => _image = image;

    /// <summary>One needed version.</summary>
    /// <param name="Library">The shared object that is to define it, e.g. <c>libstdc++.so.6</c>.</param>
    /// <param name="Version">The version, e.g. <c>GLIBCXX_3.4.32</c>.</param>
    /// <param name="Flags">0, or 2 (<c>VER_FLG_WEAK</c>) when the loader may do without it.</param>
    /// <param name="Offset">Where the <c>Elf64_Vernaux</c> (hash, flags, other, name, next) lies in the file.</param>
    internal readonly record struct Entry(string Library, string Version, ushort Flags, int Offset)
    {
        /// <summary>The loader goes on without the version when it is missing.</summary>
        public bool IsWeak => (Flags & VerFlgWeak) != 0;
    }

    /// <summary>The needed versions in the order of the file.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>Reads the table of an ELF file.</summary>
    /// <param name="image">The whole file; <see cref="Weaken"/> and <see cref="Rebind"/> change it in place.</param>
    /// <exception cref="InvalidDataException">Not an ELF64 little-endian file, or damaged.</exception>
    public static ElfVersionNeeds Parse(byte[] image)
    {
        var needs = new ElfVersionNeeds(image);
        needs.Read();
        return needs;
    }

    /// <summary>The entry of a version, or null when the file does not need it.</summary>
    /// <param name="version">For example <c>GLIBCXX_3.4.32</c>.</param>
    public Entry? Find(string version)
    {
        foreach (var entry in _entries)
        {
            if (entry.Version == version)
                return entry;
        }

        return null;
    }

    /// <summary>
    /// Marks a need as weak, so that the loader does not refuse the file where the version is missing.
    /// </summary>
    /// <param name="entry">One of <see cref="Entries"/>.</param>
    public void Weaken(Entry entry) =>
        BinaryPrimitives.WriteUInt16LittleEndian(_image.AsSpan(entry.Offset + 4), (ushort)(entry.Flags | VerFlgWeak));

    /// <summary>Makes the symbols bound to one version look for another one of the same library.</summary>
    /// <param name="entry">The entry to change.</param>
    /// <param name="target">The entry whose version it takes: name and hash.</param>
    public void Rebind(Entry entry, Entry target)
    {
        var from = _image.AsSpan(target.Offset, 16);
        var to = _image.AsSpan(entry.Offset, 16);
        from[..4].CopyTo(to);
        from.Slice(8, 4).CopyTo(to[8..]);
    }

    private void Read()
    {
        ReadOnlySpan<byte> magic = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1];
        if (_image.Length < 64 || !_image.AsSpan(0, 6).SequenceEqual(magic))
            throw new InvalidDataException("not a 64-bit little-endian ELF file");

        var tableOffset = Int64(32);
        int entrySize = UInt16(54);
        int count = UInt16(56);
        if (entrySize < ProgramHeaderSize)
            throw new InvalidDataException($"program headers of {entrySize} bytes");

        var loads = new List<(long Address, long Offset, long Size)>();
        (long Offset, long Size)? dynamic = null;
        for (var i = 0; i < count; i++)
        {
            var at = Add(tableOffset, (long)i * entrySize);
            var type = UInt32(at);
            if (type == PtLoad)
                loads.Add((Int64(at + 16), Int64(at + 8), Int64(at + 32)));
            else if (type == PtDynamic)
                dynamic = (Int64(at + 8), Int64(at + 32));
        }

        if (dynamic is not { } table)
            throw new InvalidDataException("no dynamic section");

        long? strings = null, needs = null;
        long stringsSize = 0, needsCount = 0;
        Check(table.Offset, table.Size);
        for (long at = table.Offset, end = table.Offset + table.Size; at + DynamicSize <= end; at += DynamicSize)
        {
            var tag = Int64(at);
            if (tag == DtNull)
                break;
            var value = Int64(at + 8);
            switch (tag)
            {
                case DtStrTab: strings = value; break;
                case DtStrSz: stringsSize = value; break;
                case DtVerNeed: needs = value; break;
                case DtVerNeedNum: needsCount = value; break;
            }
        }

        if (needs is null)
            return;
        if (strings is null)
            throw new InvalidDataException("no string table");

        var stringsOffset = FileOffset(strings.Value, loads);
        Check(stringsOffset, stringsSize);
        ReadNeeds(FileOffset(needs.Value, loads), needsCount, stringsOffset, stringsSize);
    }

    private void ReadNeeds(long at, long count, long strings, long stringsSize)
    {
        // Both lists are linked by unsigned relative offsets that are never zero before the end, so that a walk only
        // moves forward and a damaged file cannot make it run for ever.
        for (long i = 0; i < count; i++)
        {
            int auxCount = UInt16(at + 2);
            var library = String(strings, stringsSize, UInt32(at + 4));
            var aux = Add(at, UInt32(at + 8));
            for (var j = 0; j < auxCount; j++)
            {
                Check(aux, 16);
                // Entries do not overlap: more of them than fit into the file are a loop over damaged links.
                if (_entries.Count >= _image.Length / 16)
                    throw new InvalidDataException("more version needs than the file can hold");
                _entries.Add(
                    new Entry(library, String(strings, stringsSize, UInt32(aux + 8)), UInt16(aux + 4), (int)aux));
                var nextAux = UInt32(aux + 12);
                if (nextAux == 0)
                    break;
                aux = Add(aux, nextAux);
            }

            var next = UInt32(at + 12);
            if (next == 0)
                break;
            at = Add(at, next);
        }
    }

    private static long FileOffset(long address, List<(long Address, long Offset, long Size)> loads)
    {
        foreach (var (start, offset, size) in loads)
        {
            // Unsigned differences: addresses are unsigned, and a damaged one must not overflow.
            if ((ulong)address >= (ulong)start && (ulong)address - (ulong)start < (ulong)size)
                return Add(offset, address - start);
        }

        throw new InvalidDataException($"address 0x{address:x} is in no loaded segment");
    }

    private string String(long table, long size, long offset)
    {
        if (offset >= size)
            throw new InvalidDataException($"string at {offset} lies past the string table of {size} bytes");
        var rest = _image.AsSpan((int)(table + offset), (int)(size - offset));
        var end = rest.IndexOf((byte)0);
        return end < 0 ? throw new InvalidDataException("unterminated string") : Encoding.ASCII.GetString(rest[..end]);
    }

    private ushort UInt16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    private uint UInt32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    private long Int64(long at) => BinaryPrimitives.ReadInt64LittleEndian(Slice(at, 8));

    private ReadOnlySpan<byte> Slice(long at, int length)
    {
        Check(at, length);
        return _image.AsSpan((int)at, length);
    }

    private void Check(long at, long length)
    {
        if (at < 0 || length < 0 || at > _image.Length || length > _image.Length - at)
            throw new InvalidDataException($"{length} bytes at {at} of a file of {_image.Length}");
    }

    private static long Add(long a, long b)
    {
        var sum = unchecked(a + b);
        return a < 0 || b < 0 || sum < 0 ? throw new InvalidDataException($"offset {a} + {b} overflows") : sum;
    }
}
