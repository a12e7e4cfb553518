using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AnTransformer.Files;

/// <summary>
/// What a path leads to, links followed. .NET tells neither pipes and devices from files nor whether two paths are one
/// file, so this asks the system: <c>statx</c> on Linux, whose layout is the same on every processor, and <c>stat</c>
/// on macOS.
/// </summary>
/// <param name="Kind">The kind.</param>
/// <param name="Bytes">The size of a regular file in bytes; without meaning for other kinds.</param>
/// <param name="Identity">Equal for paths that lead to the same file.</param>
internal sealed partial record FileStatus(FileKind Kind, long Bytes, FileIdentity Identity)
{
    private const int AtFdCwd = -100;
    private const uint StatxBasicStats = 0x7FF;

    /// <summary>Looks a path up.</summary>
    /// <param name="path">A path.</param>
    /// <returns>Null when nothing is there, a link leads nowhere, or it may not be looked at.</returns>
    public static FileStatus? Of(string path)
    {
        Span<byte> buffer = stackalloc byte[256];
        try
        {
            if (OperatingSystem.IsLinux())
                return Statx(AtFdCwd, path, 0, StatxBasicStats, ref MemoryMarshal.GetReference(buffer)) == 0
                    ? FromStatx(buffer)
                    : null;
            if (OperatingSystem.IsMacOS())
            {
                ref var start = ref MemoryMarshal.GetReference(buffer);
                var result = RuntimeInformation.ProcessArchitecture == Architecture.X64
                    ? StatInode64(path, ref start)
                    : Stat(path, ref start);
                return result == 0 ? FromDarwin(buffer) : null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without the function: what .NET knows has to do.
        }

        return FromDotNet(path);
    }

    /// <summary>The kind as a sentence about a file has it: "a named pipe".</summary>
    public static string Describe(FileKind kind) => kind switch
    {
        FileKind.Directory => "a directory",
        FileKind.NamedPipe => "a named pipe",
        FileKind.Socket => "a socket",
        FileKind.Device => "a device",
        _ => "a file",
    };

    private static FileStatus FromStatx(ReadOnlySpan<byte> buffer)
    {
        // struct statx: mode at 28, inode at 32, size at 40, device (major, minor) at 136.
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(buffer[28..]);
        return new FileStatus(
            KindOf(mode),
            BinaryPrimitives.ReadInt64LittleEndian(buffer[40..]),
            new FileIdentity(
                BinaryPrimitives.ReadUInt64LittleEndian(buffer[136..]),
                BinaryPrimitives.ReadUInt64LittleEndian(buffer[32..])));
    }

    private static FileStatus FromDarwin(ReadOnlySpan<byte> buffer)
    {
        // struct stat with 64-bit inodes: device at 0, mode at 4, inode at 8, size at 96.
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(buffer[4..]);
        return new FileStatus(
            KindOf(mode),
            BinaryPrimitives.ReadInt64LittleEndian(buffer[96..]),
            new FileIdentity(
                BinaryPrimitives.ReadUInt32LittleEndian(buffer), BinaryPrimitives.ReadUInt64LittleEndian(buffer[8..])));
    }

    private static FileKind KindOf(ushort mode) => (mode & 0xF000) switch
    {
        0x4000 => FileKind.Directory,
        0x1000 => FileKind.NamedPipe,
        0xC000 => FileKind.Socket,
        0x2000 or 0x6000 => FileKind.Device,
        _ => FileKind.Regular,
    };

    private static FileStatus? FromDotNet(string path)
    {
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        if (!info.Exists)
            return null;
        var target = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
        var identity = new FileIdentity(0, 0, target.FullName);
        if (info is DirectoryInfo)
            return new FileStatus(FileKind.Directory, 0, identity);
        return target.Exists
            ? new FileStatus(
                target.Attributes.HasFlag(FileAttributes.Device)
                    ? FileKind.Device
                    : FileKind.Regular, ((FileInfo)target).Length, identity)
            : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int directory, string path, int flags, uint mask, ref byte result);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, ref byte result);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatInode64(string path, ref byte result);
}
