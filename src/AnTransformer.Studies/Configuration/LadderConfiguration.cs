using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What studies are told that run sides at a ladder of sizes and budgets, each tuned.</summary>
public abstract class LadderConfiguration : TunedConfiguration
{
    /// <summary>Sides.</summary>
    [Description("What is run: architectures, or variants with a name and fields of the training configuration, such "
        + "as "
        + "\"angpt-slow: model.architecture=angpt model.alpha_init=0.1\". A value rate or rate*5 follows the learning "
        + "rate that is tuned.")]
    public List<string> Sides { get; set; } = ["gpt+", "ngpt", "angpt"];

    /// <summary>Sizes.</summary>
    [Description("Sizes to run the sides at, each tuned separately, as fields such as \"d=64 heads=2 layers=3\", with "
        + "a name in front "
        + "if wanted (\"small: d=64 ...\"); short for fields are d, heads, layers, f, context, batch. Empty for the "
        + "base's size.")]
    public List<string> Sizes { get; set; } = [];

    /// <summary>Budgets.</summary>
    [Description(
        "Token budgets; each is a run of its own with a whole learning-rate schedule. Empty for the base's length.")]
    [Positive]
    public List<long> MaxTokens { get; set; } = [];

    /// <summary>Budgets by size.</summary>
    [Description(
        "Token budgets as multiples of the number of parameters of the first side at each size; besides max_tokens.")]
    [Positive]
    public List<double> TokensPerParameter { get; set; } = [];

    /// <summary>Rates by side.</summary>
    [Description("Learning rates of single sides or of a side at a size, where they differ: \"ngpt: 1e-3, 2e-3\" or "
        + "\"small/ngpt: 1e-3, 2e-3\".")]
    public List<string> SideLearningRates { get; set; } = [];

    /// <summary>The same for all.</summary>
    protected IEnumerable<ConfigurationProblem> LadderProblems()
    {
        foreach (var problem in TuningProblems())
            yield return problem;
        if (Sides.Count == 0)
            yield return new ConfigurationProblem("sides must name at least one side", "sides");
        if (MaxTokens.Distinct().Count() < MaxTokens.Count)
            yield return new ConfigurationProblem("max_tokens has an entry twice; remove it", "max_tokens");
        if (TokensPerParameter.Distinct().Count() < TokensPerParameter.Count)
            yield return new ConfigurationProblem(
                "tokens_per_parameter has an entry twice; remove it", "tokens_per_parameter");
    }
}
