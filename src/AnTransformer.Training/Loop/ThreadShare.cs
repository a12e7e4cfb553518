using System.Diagnostics;
using System.Text;
using AnTransformer.Distributed;

namespace AnTransformer.Training.Loop;

/// <summary>How many threads a process computes with where others share its processors.</summary>
internal static class ThreadShare
{
    /// <summary>
    /// The processors that the launcher gave this process, over the processes that it gave the same ones.
    /// </summary>
    /// <param name="group">The processes.</param>
    public static int Of(ProcessGroup group)
    {
        var mine = $"{Environment.MachineName} {Affinity()}";
        var sharing = group.Gather(Encoding.UTF8.GetBytes(mine)).Count(bytes => Encoding.UTF8.GetString(bytes) == mine);
        return Math.Max(1, Environment.ProcessorCount / sharing);
    }

    private static string Affinity()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
            return "";
        using var process = Process.GetCurrentProcess();
        return process.ProcessorAffinity.ToString("x");
    }
}
