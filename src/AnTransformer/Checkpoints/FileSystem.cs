using System.Runtime.InteropServices;

namespace AnTransformer.Checkpoints;

/// <summary>What durable replacement needs of the operating system and .NET does not offer.</summary>
internal static partial class FileSystem
{
    private const int EInval = 22;
    private const int AtFdCwd = -100;
    private const uint RenameExchange = 2;

    /// <summary>Forces a file's content to the disk.</summary>
    public static void FlushFile(string path)
    {
        // Windows flushes through handles only that may write.
        var access = OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read;
        using var handle = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Forces a directory's names to the disk; Windows does so on its own.</summary>
    public static void FlushDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(path, 0);
        if (descriptor < 0)
            throw Error(path);
        try
        {
            // Some network and user-space file systems do not know how to flush a directory.
            if (FSync(descriptor) != 0 && Marshal.GetLastPInvokeError() != EInval)
                throw Error(path);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>
    /// Forces every file and directory below a directory to the disk, and the directory itself; links are not followed.
    /// </summary>
    public static void FlushTree(string path)
    {
        foreach (var file in Directory.EnumerateFiles(path).Where(file => !IsLink(file)))
            FlushFile(file);
        foreach (var directory in Directory.EnumerateDirectories(path).Where(directory => !IsLink(directory)))
            FlushTree(directory);
        FlushDirectory(path);
    }

    /// <summary>Whether a name is a symbolic link or a junction, whatever it leads to.</summary>
    public static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    /// <summary>Exchanges two names in one step that a crash cannot split.</summary>
    /// <returns>False where the system or the file system cannot.</returns>
    public static bool TryExchange(string first, string second)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        try
        {
            return RenameAt2(AtFdCwd, first, AtFdCwd, second, RenameExchange) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    private static IOException Error(string path)
    {
        var code = Marshal.GetLastPInvokeError();
        return new IOException($"{Marshal.GetPInvokeErrorMessage(code)} : '{path}'", code);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int RenameAt2(
        int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);
}
