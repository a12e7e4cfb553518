using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AnTransformer.Cli.Tests;

/// <summary>Sends real signals.</summary>
internal static class Signals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Terminate = 15;

    public static void Send(Process process, int signal)
    {
        if (!process.HasExited)
            _ = Kill(process.Id, signal);
    }

    /// <summary>Whether processes that are started here ignore SIGHUP from the start, as under nohup.</summary>
    public static bool IsHangupIgnored
        => File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
            && (Convert.ToUInt64(line[7..].Trim(), 16) & 1) != 0;

    /// <summary>Waits until something is so, or the process has ended.</summary>
    public static void WaitFor(Process process, Func<bool> condition)
    {
        while (!process.HasExited && !condition())
            Thread.Sleep(10);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
