using System.CommandLine;
using AnTransformer.Cli.Display;
using AnTransformer.Cli.Studies;
using AnTransformer.Distributed;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt train</c>: a run from a configuration file, every field of which is an option too.</summary>
internal static class TrainCommand
{
    private const string DefaultConfiguration = "configs/quickstart.yaml";

    /// <summary>
    /// Given by studies to the runs they start: the end of standard input asks the run to save and end.
    /// </summary>
    public const string SupervisedOption = "--supervised";

    /// <summary>What follows the reason in the message of a diverged run that has a checkpoint.</summary>
    public const string LastGoodCheckpoint = "; the last good checkpoint is ";

    public static Command Create()
    {
        var config = new Argument<string>("config")
        {
            Description = "A YAML configuration; relative to here, or one of the tool's own such as "
                + "configs/paper/angpt.yaml. Or the directory "
                + "of a run, to go on with it as it was configured; with --steps to another number of steps.",
            DefaultValueFactory = _ => DefaultConfiguration,
        };
        var json = SharedOptions.Json();
        var distributed = new Option<string?>("--distributed")
        {
            Description = "What connects the processes that mpirun or srun has started: auto, none, mpi or nccl; short "
                + "for --distributed.backend.",
        };
        var supervised = new Option<bool>(SupervisedOption) { Hidden = true };
        var command = new Command(
            "train",
            "Train a model. Without arguments: anGPT on the bundled novels of Jane Austen, a few minutes on two "
                + "cores.\nA run that was stopped goes on with the same command.")
        {
            config, json, distributed, supervised,
        };
        var fields = FieldOptions.AddTo(command, typeof(TrainingConfiguration));
        command.SetAction(parsed =>
        {
            var overrides = FieldOptions.Overrides(parsed, fields);
            if (parsed.GetValue(distributed) is { } backend)
                overrides = [.. overrides, ("distributed.backend", backend)];
            var path = parsed.GetRequiredValue(config);
            var isRun = Directory.Exists(path);
            // Of a job, MPI is first: it changes variables of the environment, which LibTorch reads while it loads.
            using var loading = MayBeJob() ? null : new LibTorchLoading();
            var configuration = isRun
                ? SavedRun.Load(path, overrides)
                : ConfigurationBinder.Load<TrainingConfiguration>(BundledFiles.Find(path), overrides);
            return Train(configuration, isRun, parsed.GetValue(json), parsed.GetValue(supervised));
        });
        return command;
    }

    private static bool MayBeJob()
    {
        try
        {
            return LaunchEnvironment.Find(Environment.GetEnvironmentVariable) is not null;
        }
        catch (InvalidInputException)
        {
            return true;        // said where it matters: --distributed none asks for no job
        }
    }

    private static int Train(TrainingConfiguration configuration, bool further, bool json, bool supervised)
    {
        using var guard = supervised ? new ClaimGuard() : null;
        using var group = ProcessGroups.Join(
            configuration.Distributed.Backend, onCuda: configuration.Training.Device != "cpu");
        if (group.Size == 1)
            return Train(group, configuration, further, json, supervised);
        try
        {
            return Train(group, configuration, further, json, supervised);
        }
        catch (Exception e)
        {
            group.Abort(CommandLine.Fail(e));
            throw;
        }
    }

    private static int Train(
        ProcessGroup group, TrainingConfiguration configuration, bool further, bool json, bool supervised)
    {
        var tasks = group.Rank == 0 ? TrainingTasks.Of(configuration) : null;
        using var stop = new StopSignal(group.Rank == 0 ? StopWords.Train : null, supervised, isJob: group.Size > 1);
        if (group.Rank > 0)
            return CodeOf(TrainingRun.Run(configuration, new SilentListener(), stop.Token, further, group).Status);
        using var display = TrainingDisplay.Create();
        var outcome = TrainingRun.Run(configuration, display, stop.Token, further, group, tasks);
        display.Dispose();
        if (json)
            TrainingSummary.PrintJson(configuration, outcome);
        else
            TrainingSummary.Print(configuration, outcome);
        switch (outcome.Status)
        {
            case TrainingStatus.Diverged:
                var remedy = outcome.Checkpoint is { } good
                    ? $"{LastGoodCheckpoint}{good}; a new run with a lower optimizer.learning_rate can start from its "
                        + "weights (--from)"
                    : "; no checkpoint was saved before; lower optimizer.learning_rate";
                ErrorLines.Write($"training diverged: {outcome.Reason}{remedy}.");
                break;
            case TrainingStatus.Stopped:
                ErrorLines.Write(
                    $"stopped at step {outcome.State.Step}; the same command goes on from {outcome.Checkpoint}.");
                break;
        }

        return CodeOf(outcome.Status);
    }

    private static int CodeOf(TrainingStatus status) => status switch
    {
        TrainingStatus.Diverged => ExitCodes.Diverged,
        TrainingStatus.Stopped => ExitCodes.Stopped,
        _ => ExitCodes.Success,
    };
}
