using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt sweep</c> is told.</summary>
public sealed class SweepConfiguration : StudyConfiguration, IValidatable
{
    /// <summary>Fields.</summary>
    [Description("Fields of the training configuration to vary: \"optimizer.learning_rate=1e-3,2e-3,4e-3\" for a grid; "
        + "\"optimizer.learning_rate=log(1e-4,1e-2)\" or \"model.alpha_init=uniform(0.01,0.5)\" for random values, "
        + "with trials.")]
    public List<string> Fields { get; set; } = [];

    /// <summary>Trials.</summary>
    [Description("Number of random combinations; null for the whole grid, which needs lists of values for all fields.")]
    [Positive]
    public int? Trials { get; set; }

    /// <summary>Seed of the search.</summary>
    [Description("Seed of the random combinations; the same seed gives the same, and more trials begin with the same.")]
    [NotNegative]
    public int SearchSeed { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        foreach (var problem in CommonProblems())
            yield return problem;
        if (Fields.Count == 0)
            yield return new ConfigurationProblem(
                "fields must name at least one field, such as \"optimizer.learning_rate=1e-3,2e-3\"", "fields");
    }
}
