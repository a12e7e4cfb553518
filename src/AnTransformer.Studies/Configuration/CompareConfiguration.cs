using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt compare</c> is told.</summary>
public sealed class CompareConfiguration : TunedConfiguration, IValidatable
{
    /// <summary>Sides.</summary>
    [Description("What is compared: architectures, or variants with a name and fields of the training configuration, such as "
        + "\"angpt-slow: model.architecture=angpt model.alpha_init=0.1\".")]
    public List<string> Sides { get; set; } = ["gpt+", "ngpt", "angpt"];

    /// <summary>The side others are compared with.</summary>
    [Description("The side that the others are compared with.")]
    public string Reference { get; set; } = "gpt+";

    /// <summary>Sizes.</summary>
    [Description("Sizes to compare at, each tuned separately, as fields such as \"d=64 heads=2 layers=3\", with a name in front if "
        + "wanted (\"small: d=64 ...\"); empty for the base's size.")]
    public List<string> Sizes { get; set; } = [];

    /// <summary>Budgets.</summary>
    [Description("Token budgets; each is a run of its own with a whole learning-rate schedule. Empty for the base's length. With two "
        + "or more the annealed-frontier speed-up is computed besides.")]
    [Positive]
    public List<long> MaxTokens { get; set; } = [];

    /// <summary>Rates by side.</summary>
    [Description("Learning rates of single sides or of a side at a size, where they differ: \"ngpt: 1e-3, 2e-3\" or "
        + "\"small/ngpt: 1e-3, 2e-3\".")]
    public List<string> SideLearningRates { get; set; } = [];

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        foreach (var problem in TuningProblems())
            yield return problem;
        if (Sides.Count == 0)
            yield return new ConfigurationProblem("sides must name at least one side", "sides");
        if (MaxTokens.Distinct().Count() < MaxTokens.Count)
            yield return new ConfigurationProblem("max_tokens has an entry twice; remove it", "max_tokens");
    }
}
