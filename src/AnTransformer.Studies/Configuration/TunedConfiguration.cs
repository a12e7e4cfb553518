using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What studies are told whose every cell has its learning rate tuned.</summary>
public abstract class TunedConfiguration : StudyConfiguration
{
    /// <summary>The highest learning rate that may be tried.</summary>
    internal const double HighestRate = 10;

    /// <summary>Learning rates to begin with.</summary>
    [Description(
        "Learning rates to try, smallest first. When the best is the first or the last, the grid grows beyond it.")]
    [InRange(0, HighestRate, ExcludesLowest = true)]
    public List<double> LearningRates { get; set; } = [1e-3, 2e-3, 4e-3];

    /// <summary>Factor of extension.</summary>
    [Description("Factor between the learning rates by which the grid grows.")]
    [InRange(1, 100, ExcludesLowest = true)]
    public double LearningRateFactor { get; set; } = 2;

    /// <summary>Most extensions.</summary>
    [Description("How often the grid may grow; 0 to take the best of the rates given.")]
    [InRange(0, 100)]
    public int MaxExtensions { get; set; } = 4;

    /// <summary>Seeds for tuning.</summary>
    [Description("How many of the seeds every learning rate is tried with; the best has the lowest mean validation "
        + "loss at the end, "
        + "and a diverged run counts as infinite.")]
    [InRange(1, 1000)]
    public int TuningSeeds { get; set; } = 1;

    /// <summary>Seeds beside the best rate.</summary>
    [Description("Whether all seeds are run at the rates next to the best one, too.")]
    public bool Neighbours { get; set; }

    /// <summary>The same for all.</summary>
    protected IEnumerable<ConfigurationProblem> TuningProblems()
    {
        foreach (var problem in CommonProblems())
            yield return problem;
        if (LearningRates.Count == 0)
            yield return new ConfigurationProblem("learning_rates must have at least one entry", "learning_rates");
        if (LearningRates.Zip(LearningRates.Skip(1)).Any(pair => pair.Second <= pair.First))
            yield return new ConfigurationProblem("learning_rates must ascend", "learning_rates");
        if (TuningSeeds > Seeds.Count)
        {
            yield return new ConfigurationProblem(
                $"tuning_seeds {TuningSeeds} exceeds the number of seeds, {Seeds.Count}; choose fewer or give more "
                    + "seeds", "tuning_seeds", "seeds");
        }
    }
}
