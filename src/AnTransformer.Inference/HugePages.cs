using System.Runtime.InteropServices;

namespace AnTransformer.Inference;

/// <summary>
/// Asks for large pages: weights that are read in order would else need an address translation for every 4 KiB.
/// </summary>
internal static unsafe partial class HugePages
{
    private const long Size = 2 << 20;
    private const int Advice = 14;

    /// <summary>Advises the system; a hint, so that what it returns does not matter.</summary>
    /// <param name="memory">The first byte.</param>
    /// <param name="bytes">How many.</param>
    public static void Advise(byte* memory, long bytes)
    {
        if (!OperatingSystem.IsLinux() || bytes < 2 * Size)
            return;
        var first = ((nint)memory + Size - 1) & ~(Size - 1);
        var end = ((nint)memory + bytes) & ~(Size - 1);
        _ = madvise((nint)first, (nuint)(end - first), Advice);
    }

    [LibraryImport("libc")]
    private static partial int madvise(nint address, nuint length, int advice);
}
