using System.Diagnostics;
using System.Globalization;

namespace AnTransformer.Training.Benchmarking;

/// <summary>
/// The most memory that this process has held at once. It never falls, so each contestant needs a process of its own.
/// </summary>
public static class PeakMemory
{
    private const string StatusFile = "/proc/self/status";
    private const string HighWaterMark = "VmHWM:";

    /// <summary>Largest resident set so far: VmHWM on Linux, the peak working set elsewhere.</summary>
    /// <returns>Bytes.</returns>
    public static long Bytes()
    {
        if (File.Exists(StatusFile)
            && File.ReadLines(StatusFile)
                .FirstOrDefault(line => line.StartsWith(HighWaterMark, StringComparison.Ordinal)) is { } line)
        {
            var kibibytes = line[HighWaterMark.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
            return long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024;
        }

        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}
