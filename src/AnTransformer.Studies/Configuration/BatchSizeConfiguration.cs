using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What <c>angpt batch-size</c> is told.</summary>
public sealed class BatchSizeConfiguration : TunedConfiguration, IValidatable
{
    /// <summary>Sides.</summary>
    [Description("What is run: architectures, or variants with a name and fields of the training configuration, such "
        + "as "
        + "\"angpt-slow: model.architecture=angpt model.alpha_init=0.1\".")]
    public List<string> Sides { get; set; } = ["gpt+", "angpt"];

    /// <summary>Rates of single sides.</summary>
    [Description(
        "Learning rates of the first batch size for single sides, instead of learning_rates: \"angpt: 3e-3, 6e-3\".")]
    public List<string> SideLearningRates { get; set; } = [];

    /// <summary>Batch sizes.</summary>
    [Description("Sequences in an optimizer step, smallest first; every run trains on the same number of tokens.")]
    [InRange(1, 1 << 20)]
    public List<long> BatchSizes { get; set; } = [4, 8, 16, 32, 64];

    /// <summary>Budget.</summary>
    [Description("Tokens that every run trains on.")]
    [Positive]
    public long MaxTokens { get; set; } = 1_000_000;

    /// <summary>Largest micro-batch.</summary>
    [Description(
        "Sequences that go through the model at once; larger batches are made of several, which must divide them; 0 "
            + "for no limit.")]
    [InRange(0, 1 << 20)]
    public int LargestMicroBatch { get; set; }

    /// <summary>Whether rates grow with the batch.</summary>
    [Description("Whether learning_rates are those of the first batch size, and larger batches begin with rates "
        + "multiplied by the root of "
        + "the batch's ratio, rounded to a power of learning_rate_factor.")]
    public bool ScaleRates { get; set; } = true;

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        foreach (var problem in TuningProblems())
            yield return problem;
        if (Sides.Count == 0)
            yield return new ConfigurationProblem("sides must name at least one side", "sides");
        if (BatchSizes.Count < 2 || BatchSizes.Zip(BatchSizes.Skip(1)).Any(pair => pair.Second <= pair.First))
            yield return new ConfigurationProblem(
                "batch_sizes must have two or more entries that ascend", "batch_sizes");
        if (LargestMicroBatch > 0
            && BatchSizes.Exists(size => size > LargestMicroBatch && size % LargestMicroBatch != 0))
        {
            yield return new ConfigurationProblem(
                $"largest_micro_batch {LargestMicroBatch} does not divide every larger entry of batch_sizes; choose a "
                    + "divisor",
                "largest_micro_batch",
                "batch_sizes");
        }
    }
}
