using AnTransformer.Training.Configuration;

namespace AnTransformer.Training.Runs;

/// <summary>The checkpoint from which a run goes on.</summary>
/// <param name="Path">Its directory.</param>
/// <param name="Saved">The configuration it was trained with.</param>
internal sealed record ResumePoint(string Path, TrainingConfiguration Saved)
{
    // What a run that is trained further may change.
    private static readonly string[] Length = ["training.steps", "training.max_tokens"];

    /// <summary>The checkpoint to resume from, or null to start anew.</summary>
    /// <param name="configuration">The run's configuration, resolved.</param>
    /// <param name="run">The run's directory.</param>
    /// <param name="further">Whether the number of steps may be another than the checkpoint's.</param>
    /// <exception cref="InvalidInputException">
    /// There is a run that must not be overwritten, or one of another configuration.
    /// </exception>
    public static ResumePoint? Find(TrainingConfiguration configuration, RunDirectory run, bool further)
    {
        var resume = configuration.Checkpoint.Resume;
        var latest = run.Latest();
        if (string.Equals(resume, "never", StringComparison.OrdinalIgnoreCase))
        {
            return latest is null
                ? null
                : throw new InvalidInputException(
                    $"{run.Root}: already holds a run ({System.IO.Path.GetFileName(latest)}); resume it with --resume "
                        + "auto, remove it, or choose "
                    + "another training.output.");
        }

        var isAuto = string.Equals(resume, "auto", StringComparison.OrdinalIgnoreCase);
        var checkpoint = isAuto ? latest : RunDirectory.Latest(resume) ?? resume;
        if (checkpoint is null)
            return null;
        if (!Directory.Exists(checkpoint))
            throw new InvalidInputException(
                $"{checkpoint}: no such checkpoint to resume from; give a checkpoint or run directory, or auto.");

        var saved = TrainingCheckpoint.LoadConfiguration(checkpoint);
        RequireResolved(saved, configuration, checkpoint);
        var differences = ConfigurationBinder.Differences(saved, configuration)
            .Where(difference => !further || !Length.Contains(difference.Key)).ToList();
        if (differences.Count == 0)
            return new ResumePoint(checkpoint, saved);
        var remedy = differences.TrueForAll(difference => Length.Contains(difference.Key))
            ? "to train it further, give the run's directory in place of the configuration (angpt train RUN --steps "
                + "N), "
            : "use the same one, as giving the run's directory in place of the configuration does (angpt train RUN), ";
        throw new InvalidInputException(
            $"{checkpoint}: was trained with another configuration ({string.Join("; ", differences)}); {remedy}or "
                + "choose another "
            + "training.output to start anew.");
    }

    /// <summary>
    /// Whether the run is to have another number of steps than it was to have when the checkpoint was saved.
    /// </summary>
    public bool ChangesLength(TrainingPlan plan) => TrainingPlan.StepsOf(Saved) != plan.Steps;

    /// <summary>
    /// Refuses a checkpoint whose optimizer cannot be known: defaults have changed before, and today's would make
    /// another run of it without a word.
    /// </summary>
    private static void RequireResolved(
        TrainingConfiguration saved, TrainingConfiguration configuration, string checkpoint)
    {
        var unknown = ResolvedConfiguration.Unresolved(saved);
        if (unknown.Count == 0)
            return;
        var today = ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => unknown.Contains(field.Key))
            .Select(field => $"{field.Key}: {ConfigurationBinder.Text(field.Get(configuration))}");
        throw new InvalidInputException(
            $"{TrainingCheckpoint.ConfigurationPath(checkpoint)}: does not say what {string.Join(", ", unknown)} stood "
                + "for when it was written, "
            + $"and defaults change (the run would now have {string.Join("; ", today)}); write there what the run was "
            + "trained with, or choose "
            + "another training.output to start anew.");
    }
}
