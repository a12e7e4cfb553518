using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AnTransformer.Cli.Launching;

/// <summary>Starts a job of several processes by <c>mpirun</c> and waits for its end.</summary>
/// <param name="mpirun">The program, by name or path.</param>
internal sealed partial class MpiLauncher(string mpirun)
{
    // A lost link is else noticed after minutes. mpirun waits for the last figure whenever a job fails.
    private static readonly string[] OpenMpiOptions =
    [
        "--oversubscribe", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1",
        "--mca", "oob_tcp_keepalive_time", "3", "--mca", "oob_tcp_keepalive_intvl", "2",
        "--mca", "oob_tcp_keepalive_probes", "3", "--mca", "odls_base_sigkill_timeout", "4",
    ];

    private readonly Lazy<bool> _isOpenMpi = new(() => Version(mpirun).Contains(
        "Open MPI", StringComparison.OrdinalIgnoreCase));

    private volatile Process? _running;
    private volatile bool _isStopped;

    /// <summary>Runs a command in several processes.</summary>
    /// <param name="processes">How many.</param>
    /// <param name="hosts">Hosts to start them on, as <c>mpirun --host</c> has them; null for this one.</param>
    /// <param name="command">Program and arguments.</param>
    /// <returns>mpirun's exit code: that of the first process that failed.</returns>
    /// <exception cref="InvalidInputException">There is no such program.</exception>
    public int Run(int processes, string? hosts, IEnumerable<string> command)
    {
        var start = new ProcessStartInfo(mpirun) { UseShellExecute = false };
        if (_isOpenMpi.Value)
        {
            if (!OperatingSystem.IsWindows() && UserId() == 0)
                start.ArgumentList.Add("--allow-run-as-root");
            foreach (var option in OpenMpiOptions)
                start.ArgumentList.Add(option);
        }

        if (hosts is not null)
        {
            start.ArgumentList.Add("--host");
            start.ArgumentList.Add(hosts);
        }

        start.ArgumentList.Add("-n");
        start.ArgumentList.Add($"{processes}");
        foreach (var word in command)
            start.ArgumentList.Add(word);
        // mpirun's terminal belongs to it: what .NET would tell a terminal is not for it.
        start.Environment["TERM"] = "dumb";
        using var process = Begin(start, mpirun);
        _running = process;
        // A stop that came while it was being started.
        if (_isStopped)
            Stop();
        process.WaitForExit();
        _running = null;
        return process.ExitCode;
    }

    /// <summary>
    /// Asks the job under way to save and end, however long that takes: mpirun hands this signal on and, other than
    /// with SIGTERM, kills nobody.
    /// </summary>
    public void Stop()
    {
        _isStopped = true;
        try
        {
            if (_running is { HasExited: false } process && !OperatingSystem.IsWindows())
                _ = Kill(process.Id, _isOpenMpi.Value && OperatingSystem.IsLinux() ? StopSignal.UserSignal : Terminate);
        }
        catch (InvalidOperationException)
        {
            // It has ended meanwhile.
        }
    }

    private const int Terminate = 15;

    private static string Version(string mpirun)
    {
        using var process = Begin(
            new ProcessStartInfo(mpirun, "--version") { UseShellExecute = false, RedirectStandardOutput = true },
            mpirun);
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text;
    }

    private static Process Begin(ProcessStartInfo start, string mpirun)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidInputException(
                $"{Printable.Excerpt(mpirun)}: cannot be started ({e.Message}); install MPI (apt-get install "
                    + "openmpi-bin) or name its launcher with --mpirun.", e);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
