using AnTransformer.Architectures;
using AnTransformer.Cli.Display;
using AnTransformer.Studies;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Studies;

/// <summary>Says what a study would run and what it would cost.</summary>
internal static class DryRun
{
    private const double AssumedShare = 0.35;

    public static int Print(IStudy study, bool json)
    {
        var directory = StudyDirectory.Peek(study.Settings.Output);
        var runner = new StudyRunner(
            directory, new ProcessLauncher(), new StudyOptions(study.Settings.Jobs),
            new PlainStudyDisplay(Console.Error));
        foreach (var warning in study.PlanWarnings)
            ErrorLines.Warn(warning);
        var state = runner.Look(study.Plan);
        var open = state.Agenda.Runs.Where(run => !state.Results.ContainsKey(run.Name)).ToList();
        var flops = open.Sum(run => run.Flops) + state.Agenda.Later.Sum();
        var (rate, source) = open.Count == 0 ? (1, "") : Rate(state, open[0]);
        var time = TimeSpan.FromSeconds(Math.Min(flops / rate, 1e9));
        if (json)
        {
            JsonOutput.Print(new
            {
                Study = study.Title,
                Done = state.Finished.Count(),
                Open = open.Count,
                Later = state.Agenda.Later.Count,
                Flops = flops,
                EstimatedSeconds = time.TotalSeconds,
                Runs = open.Select(
                    run => new { run.Name, run.Tokens, run.Flops, Params = ModelCost.Parameters(run.Plan.Model) })
                        .ToList(),
            });
            return ExitCodes.Success;
        }

        StudyTables.Print(new ReportTable(
            study.Title,
            ["run", "parameters", "steps", "tokens", "FLOP"],
            open.Select(run => (IReadOnlyList<string>)
                [run.Name, Figures.Count(ModelCost.Parameters(run.Plan.Model)), $"{run.Plan.Steps}",
                    Figures.Count(run.Tokens), $"{run.Flops:0.0e0}"]).ToList()));
        Console.WriteLine(
            $"{open.Count} runs to do, {state.Finished.Count()} done, {state.Agenda.Later.Count} more at the best "
                + "learning rates, and more if a best rate is at "
            + $"an edge: {flops:0.0e0} FLOP, about {Figures.Time(time)} ({source})");
        return ExitCodes.Success;
    }

    /// <summary>Operations per second over all jobs, and where the number comes from.</summary>
    private static (double Rate, string Source) Rate(StudyState state, PlannedRun run)
    {
        var seconds = state.Results.Values.Sum(result => result.Seconds);
        if (seconds > 0)
            return (state.Results.Values.Sum(result => result.Flops) / seconds, "at the rate of the runs done, one at "
                + "a time");
        var training = run.Configuration.Training;
        return (AssumedShare * MatmulRate.Measure(TrainingPlan.CreateContext(training)), $"at {AssumedShare:p0} of "
            + "this machine's matrix-product rate");
    }
}
