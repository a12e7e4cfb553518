using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AnTransformer.Native;

/// <summary>
/// What has to hold of a library before the system's loader may have it: a truncated one kills the process there.
/// </summary>
internal static class ElfFile
{
    private const uint PtLoad = 1;

    /// <summary>What is wrong with a file, in words, or null. Only the headers are read.</summary>
    /// <param name="path">A shared object of any size.</param>
    public static string? Problem(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            Span<byte> header = stackalloc byte[64];
            ReadOnlySpan<byte> magic = [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1];
            if (RandomAccess.Read(file, header, 0) < header.Length || !header[..6].SequenceEqual(magic))
                return "invalid ELF header";
            var expected = RuntimeInformation.ProcessArchitecture switch
            {
                Architecture.X64 => 62,
                Architecture.Arm64 => 183,
                _ => -1,
            };
            var machine = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
            if (expected >= 0 && machine != expected)
                return $"incompatible architecture (ELF machine {machine}, this process's is {expected})";

            var table = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
            int size = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
            int count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
            Span<byte> program = stackalloc byte[56];
            if (size < program.Length || table < 0)
                return "invalid ELF header";
            for (var i = 0; i < count; i++)
            {
                if (table > length - program.Length || RandomAccess.Read(file, program, table) < program.Length)
                    return "file too short for its program headers";
                var end = BinaryPrimitives.ReadUInt64LittleEndian(program[8..])
                    + (UInt128)BinaryPrimitives.ReadUInt64LittleEndian(program[32..]);
                if (BinaryPrimitives.ReadUInt32LittleEndian(program) == PtLoad && end > (ulong)length)
                    return $"file too short ({length} bytes of at least {end})";
                table += size;
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
