using System.Text;

namespace AnTransformer.Cli.Streams;

/// <summary>
/// How many files the process may have open at once. Every assembly takes two of them, a run about a hundred in all.
/// </summary>
internal static class OpenFileLimit
{
    /// <summary>With fewer, nothing is begun.</summary>
    public const int Needed = 256;

    private const int LinuxNumber = 7;          // RLIMIT_NOFILE
    private const int BsdNumber = 8;
    private const int Reserve = 8;

    /// <summary>The limit; null where the system does not say.</summary>
    public static ulong? Current
    {
        get
        {
            if (!Descriptor.IsSupported)
                return null;
            var limits = new ulong[2];
            return Descriptor.GetLimit(OperatingSystem.IsLinux() ? LinuxNumber : BsdNumber, limits) == 0
                ? limits[0]
                : null;
        }
    }

    /// <summary>Whether an error may come from the limit: hardly anything can be opened any more.</summary>
    public static bool IsReached => Descriptor.IsSupported && Descriptor.AreFewerLeftThan(Reserve);

    /// <summary>The sentence that names limit and remedy.</summary>
    public static string Complaint
        => $"this shell allows {Current} open files at a time, and angpt needs {Needed} and more; raise the limit with "
            + "`ulimit -n 4096` and try again.";

    /// <summary>
    /// Whether the limit is too low, after saying so with as little as possible: not even the console can be loaded
    /// then.
    /// </summary>
    public static bool RefusesToStart()
    {
        if (Current is not < Needed)
            return false;
        if (Descriptor.IsInherited(Descriptor.Error))
        {
            var bytes = Encoding.UTF8.GetBytes("angpt: " + Complaint + "\n");
            _ = Descriptor.Write(Descriptor.Error, bytes, bytes.Length);
        }

        return true;
    }
}
