using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using AnTransformer.Cli.Launching;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt launch</c>: a job of several processes that starts again when it loses one.</summary>
internal static class LaunchCommand
{
    /// <summary>Its name; what follows it is another command with options of its own.</summary>
    public const string Name = "launch";

    private const int LauncherFailed = 1;
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var processes = new Option<int>("--processes", "-n")
        {
            Description = "How many processes train together.",
            Required = true,
        };
        var restarts = SharedOptions.Int(
            "--restarts", 0, "How often to start again from the last checkpoint when a process is lost.").InRange(
            0, int.MaxValue);
        var fewest = SharedOptions.Int(
            "--min-ranks", 0, "Start again with one process fewer each time, down to this many; 0 to start as many as "
            + "before.").InRange(0, int.MaxValue);
        var hosts = new Option<string?>("--host")
        {
            Description = "Hosts to start on, as mpirun has them, such as a:2,b:2; this one without.",
        };
        var mpirun = new Option<string>("--mpirun")
        {
            Description = "The MPI launcher to use.",
            DefaultValueFactory = _ => "mpirun",
        };
        var inner = new Argument<string[]>("command")
        {
            Description = "What each process runs, behind --: train with its options.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command(
            Name,
            "Train with several processes on one or more hosts, by mpirun: `angpt launch -n 4 --restarts 3 -- train "
                + "config.yaml`.")
        {
            processes, restarts, fewest, hosts, mpirun, inner,
        };
        command.SetAction(parsed =>
        {
            var count = parsed.GetValue(processes);
            if (count < 1)
                throw new InvalidInputException($"--processes must be at least 1, not {count}.");
            var words = parsed.GetRequiredValue(inner);
            if (words[0] != "train")
            {
                throw new InvalidInputException(
                    $"launch starts `train`, not '{Printable.Excerpt(words[0])}'; give -- train and its options.");
            }

            var least = parsed.GetValue(fewest);
            if (least > count)
                throw new InvalidInputException($"--min-ranks {least} exceeds --processes {count}; give fewer.");
            return Run(
                new MpiLauncher(parsed.GetRequiredValue(mpirun)), count, least == 0 ? count : least,
                parsed.GetValue(restarts), parsed.GetValue(hosts), words);
        });
        return command;
    }

    private static TimeSpan Pause(int failedStarts)
        => failedStarts == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, failedStarts)));

    private static int Run(
        MpiLauncher launcher, int processes, int fewest, int restarts, string? hosts, string[] words)
    {
        var isStopped = false;
        var failedStarts = 0;
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            // A terminal sends it to mpirun, too.
            (isStopped, context.Cancel) = (true, true);
        });
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Forward);
        using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Forward);
        for (var restart = 0; ;)
        {
            // Asked to stop while no job was there to hear it.
            if (isStopped)
                return ExitCodes.Stopped;
            var watch = Stopwatch.StartNew();
            var code = launcher.Run(processes, hosts, [.. ThisProgram.Words(), .. words]);
            if (isStopped)
                return ExitCodes.Stopped;
            // A job that could not even begin, as while a host is away, is not tried again at once.
            failedStarts = code == LauncherFailed && watch.Elapsed < LongestStart ? failedStarts + 1 : 0;
            // A step that four processes have shared, and three cannot, two may.
            if (code == ExitCodes.InvalidInput && restart > 0 && processes > fewest)
            {
                processes--;
                ErrorLines.Write($"trying {processes} processes, which may be able to share a step.");
                continue;
            }

            if (code is ExitCodes.Success or ExitCodes.InvalidInput or ExitCodes.Stopped or ExitCodes.Diverged)
                return code;
            if (restart == restarts)
            {
                ErrorLines.Write(
                    $"a process of the job was lost (exit code {code}); the same command goes on from the last "
                        + "checkpoint.");
                return ExitCodes.JobLost;
            }

            restart++;
            for (var pause = Pause(failedStarts); pause > TimeSpan.Zero && !isStopped; pause -= BetweenLooks)
                Thread.Sleep(BetweenLooks);
            processes = Math.Max(fewest, processes - 1);
            ErrorLines.Write(
                $"a process of the job was lost (exit code {code}); starting again with {processes} from the last "
                    + $"checkpoint (restart {restart} of {restarts}).");
        }

        void Forward(PosixSignalContext context)
        {
            (isStopped, context.Cancel) = (true, true);
            launcher.Stop();
        }
    }
}
