using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace AnTransformer.Native;

/// <summary>
/// An empty shared object that has nothing but a name. Once it is loaded, the system's loader takes any request for
/// that name as served and looks no further.
/// </summary>
/// <remarks>
/// The least that glibc accepts: ELF header, a loaded segment, a dynamic section with the name and empty string, symbol
/// and hash tables, and a <c>PT_GNU_STACK</c>, without which the process's stacks would become executable. Source:
/// System V ABI.
/// </remarks>
internal static class ElfAlias
{
    private const int Headers = 64 + (3 * 56);
    private const int DynamicSize = 7 * 16;
    private const int Hash = Headers + DynamicSize;
    private const int Symbols = Hash + 16;
    private const int Strings = Symbols + 24;

    /// <summary>The bytes of the file.</summary>
    /// <param name="name">The name (<c>DT_SONAME</c>), ASCII.</param>
    public static byte[] Create(string name)
    {
        var stringsSize = name.Length + 2;
        var image = new byte[Strings + stringsSize];
        Encoding.ASCII.GetBytes(name, image.AsSpan(Strings + 1));

        ReadOnlySpan<byte> identification = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(image);
        UInt16(16, 3); // ET_DYN
        UInt16(18, RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 183 : 62);
        UInt32(20, 1); // version
        UInt64(32, 64); // program headers follow
        UInt16(52, 64);
        UInt16(54, 56);
        UInt16(56, 3);
        UInt16(58, 64);

        ProgramHeader(0, type: 1, 0, image.Length, alignment: 0x10000); // PT_LOAD; pages of up to 64 KB
        ProgramHeader(1, type: 2, Headers, DynamicSize, alignment: 8); // PT_DYNAMIC
        ProgramHeader(2, type: 0x6474e551, 0, 0, alignment: 16); // PT_GNU_STACK

        Dynamic(0, tag: 14, 1); // DT_SONAME
        Dynamic(1, tag: 4, Hash);
        Dynamic(2, tag: 5, Strings);
        Dynamic(3, tag: 6, Symbols);
        Dynamic(4, tag: 10, stringsSize);
        Dynamic(5, tag: 11, 24); // DT_SYMENT

        UInt32(Hash, 1); // one empty bucket, and the chain of the null symbol
        UInt32(Hash + 4, 1);
        return image;

        void ProgramHeader(int index, uint type, int offset, int size, ulong alignment)
        {
            var at = 64 + (index * 56);
            UInt32(at, type);
            UInt32(at + 4, 6); // readable, and writable because the loader relocates the dynamic section in place
            UInt64(at + 8, (ulong)offset);
            UInt64(at + 16, (ulong)offset);
            UInt64(at + 24, (ulong)offset);
            UInt64(at + 32, (ulong)size);
            UInt64(at + 40, (ulong)size);
            UInt64(at + 48, alignment);
        }

        void Dynamic(int index, ulong tag, int value)
        {
            UInt64(Headers + (index * 16), tag);
            UInt64(Headers + (index * 16) + 8, (ulong)value);
        }

        void UInt16(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), (ushort)value);
        void UInt32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        void UInt64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), value);
    }
}
