using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt scaling run</c> is told.</summary>
public sealed class ScalingConfiguration : LadderConfiguration, IValidatable
{
    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        foreach (var problem in LadderProblems())
            yield return problem;
        if (Sizes.Count < 2)
            yield return new ConfigurationProblem(
                "sizes must have two or more entries: a scaling law needs a ladder", "sizes");
    }
}
