using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt compare</c> is told.</summary>
public sealed class CompareConfiguration : LadderConfiguration, IValidatable
{
    /// <summary>The side others are compared with.</summary>
    [Description(
        "The side that the others are compared with. With two or more budgets the annealed-frontier speed-up is "
            + "computed, too.")]
    public string Reference { get; set; } = "gpt+";

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate() => LadderProblems();
}
