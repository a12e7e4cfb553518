using System.Diagnostics;
using AnTransformer.Cli.Commands;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sharing;

namespace AnTransformer.Cli.Studies;

/// <summary>
/// Trains each run in a process of its own, so that one that runs out of memory or crashes does not take the study with
/// it.
/// </summary>
internal sealed class ProcessLauncher : IRunLauncher
{
    // Ctrl-C reaches the whole terminal, and may reach a process before it could install its handler.
    private const int Interrupted = 128 + 2;

    public RunExit Launch(string configurationPath, RunClaim claim, CancellationToken stop)
    {
        var start = ThisProgram.StartInfo(["train", configurationPath, "--json", TrainCommand.SupervisedOption]);
        start.RedirectStandardInput = true;
        start.Environment[ClaimGuard.Variable] = claim.Path;
        // Runs beside each other share the cores: threads that wait must not spin, unless the user has said how they
        // shall wait.
        if (!start.Environment.ContainsKey("GOMP_SPINCOUNT"))
            start.Environment.TryAdd("OMP_WAIT_POLICY", "passive");
        using var process = Start(start);
        if (process is null)
            return new RunExit(RunEnding.Failed, "its process could not be started");
        using var registration = stop.Register(() => CloseInput(process));
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var lastLine = "";
        while (process.StandardError.ReadLine() is { } line)
            lastLine = string.IsNullOrWhiteSpace(line) ? lastLine : line;
        process.WaitForExit();
        output.GetAwaiter().GetResult();
        return Exit(process.ExitCode, lastLine);
    }

    private static RunExit Exit(int code, string lastLine)
    {
        const string prefix = "angpt: ";
        var message = lastLine.StartsWith(prefix, StringComparison.Ordinal) ? lastLine[prefix.Length..] : lastLine;
        return code switch
        {
            ExitCodes.Success => new RunExit(RunEnding.Completed),
            ExitCodes.Stopped or Interrupted => new RunExit(RunEnding.Stopped, message),
            ExitCodes.Diverged => new RunExit(RunEnding.Diverged, WithoutCheckpoint(message)),
            ExitCodes.InvalidInput => new RunExit(RunEnding.Failed, message),
            _ => new RunExit(RunEnding.Failed, $"exit code {code}: {message}"),
        };
    }

    /// <summary>
    /// The reason alone: the checkpoint that the message names is deleted, and nobody is to resume a study's run by
    /// hand.
    /// </summary>
    private static string WithoutCheckpoint(string message)
    {
        var remedy = message.LastIndexOf(TrainCommand.LastGoodCheckpoint, StringComparison.Ordinal);
        return remedy < 0 ? message : message[..remedy];
    }

    private static Process? Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static void CloseInput(Process process)
    {
        try
        {
            process.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has ended already.
        }
    }
}
