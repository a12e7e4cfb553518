using System.Runtime.InteropServices;

namespace AnTransformer.Cli.Streams;

/// <summary>
/// Files by their descriptors, as far as the standard streams need it where .NET takes them for granted: that they
/// exist, that writing works, that there is a descriptor left to open them with.
/// </summary>
/// <remarks>
/// Only arrays and numbers are passed, so that nothing has to be loaded for a call: assemblies take descriptors, too.
/// </remarks>
internal static partial class Descriptor
{
    public const int Input = 0;
    public const int Output = 1;
    public const int Error = 2;

    public const int Interrupted = 4;           // EINTR
    public const int TooManyOpen = 24;          // EMFILE
    public const int BrokenPipe = 32;           // EPIPE
    public const int BadDescriptor = 9;         // EBADF

    private const int GetFlags = 1;             // F_GETFD
    private const int CloseOnExec = 1;          // FD_CLOEXEC
    private const int ReadWrite = 2;            // O_RDWR
    private static readonly byte[] NullDevice = [.. "/dev/null\0"u8];

    /// <summary>Whether this is a system whose calls these are.</summary>
    public static bool IsSupported
        => OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    /// <summary>
    /// Whether the process was given this descriptor when it started. One that was closed then may since have been
    /// taken by the runtime for a file of its own, which nobody may write to; all of those are marked to close in other
    /// programs, and what was inherited cannot be.
    /// </summary>
    public static bool IsInherited(int descriptor)
    {
        var flags = FileControl(descriptor, GetFlags);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    /// <summary>
    /// Opens the null device in place of standard streams that are closed, lest the next file that is opened take their
    /// place.
    /// </summary>
    public static void FillGaps()
    {
        for (var descriptor = Input; descriptor <= Error; descriptor++)
        {
            if (FileControl(descriptor, GetFlags) < 0)
                _ = Open(NullDevice, ReadWrite);      // takes the lowest free one
        }
    }

    /// <summary>Whether fewer than so many descriptors could still be opened.</summary>
    public static bool AreFewerLeftThan(int count)
    {
        var opened = new int[count];
        var isShort = false;
        for (var i = 0; i < count && !isShort; i++)
        {
            opened[i] = Open(NullDevice, ReadWrite);
            isShort = opened[i] < 0;
        }

        for (var i = 0; i < count && opened[i] > Error; i++)
            _ = Close(opened[i]);
        return isShort;
    }

    /// <summary>Writes some of the bytes; how many, or minus one.</summary>
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nint count);

    /// <summary>The soft and the hard limit of a resource.</summary>
    [LibraryImport("libc", EntryPoint = "getrlimit")]
    public static partial int GetLimit(int resource, ulong[] limits);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FileControl(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte[] path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
