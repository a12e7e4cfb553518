using System.Diagnostics;

namespace AnTransformer.Studies.Sharing;

/// <summary>A process among those of many hosts, as it writes itself down for others.</summary>
/// <param name="Host">Name of its host.</param>
/// <param name="Space">Where process numbers mean what they mean there: this boot of this host, this container.</param>
/// <param name="Id">Its number.</param>
/// <param name="Start">When it began, as the system counts, since numbers are used again.</param>
internal sealed record ProcessIdentity(string Host, string Space, int Id, string Start)
{
    private const int StartField = 22;

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = new(
        Environment.MachineName, SpaceHere(), Environment.ProcessId, StartOf(Environment.ProcessId) ?? "");

    /// <summary>
    /// Whether it is known here to have ended; false for one of another host, of which nothing is known.
    /// </summary>
    public bool HasEnded => Space.Length > 0 && Space == Current.Space && Host == Current.Host && StartOf(Id) != Start;

    private static string SpaceHere()
    {
        if (!OperatingSystem.IsLinux())
            return Environment.MachineName;
        try
        {
            var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            return $"{boot} {new FileInfo("/proc/self/ns/pid").LinkTarget}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string? StartOf(int id)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                using var process = Process.GetProcessById(id);
                return process.HasExited ? null : $"{process.StartTime.ToUniversalTime():O}";
            }

            // A name may hold blanks and parentheses; what follows the last one is regular. A zombie has ended.
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[StartField - 3];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException
            or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
