using AnTransformer.Training.Configuration;

namespace AnTransformer.Training;

/// <summary>Decides from which checkpoint a run goes on.</summary>
internal static class ResumePoint
{
    /// <summary>The checkpoint to resume from, or null to start anew.</summary>
    /// <exception cref="InvalidInputException">There is a run that must not be overwritten, or one of another configuration.</exception>
    public static string? Find(TrainingConfiguration configuration, RunDirectory run)
    {
        var resume = configuration.Checkpoint.Resume;
        var latest = run.Latest();
        if (string.Equals(resume, "never", StringComparison.OrdinalIgnoreCase))
        {
            return latest is null
                ? null
                : throw new InvalidInputException(
                    $"{run.Root}: already holds a run ({Path.GetFileName(latest)}); resume it with --resume auto, remove it, or choose "
                    + "another training.output.");
        }

        var isAuto = string.Equals(resume, "auto", StringComparison.OrdinalIgnoreCase);
        var checkpoint = isAuto ? latest : RunDirectory.Latest(resume) ?? resume;
        if (checkpoint is null)
            return null;
        if (!Directory.Exists(checkpoint))
            throw new InvalidInputException($"{checkpoint}: no such checkpoint to resume from; give a checkpoint or run directory, or auto.");

        var differences = ConfigurationBinder.Differences(TrainingCheckpoint.LoadConfiguration(checkpoint), configuration);
        if (differences.Count > 0)
        {
            throw new InvalidInputException(
                $"{checkpoint}: was trained with another configuration ({string.Join("; ", differences)}); use the same one, or "
                + "choose another training.output to start anew.");
        }

        return checkpoint;
    }
}
