using AnTransformer.Architectures;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Running;

/// <summary>A run that a study wants, with everything that decides its outcome.</summary>
public sealed class PlannedRun
{
    /// <summary>Describes a run.</summary>
    /// <param name="label">What it is, in words fit for a directory, such as <c>angpt-lr0.001-seed1</c>.</param>
    /// <param name="configuration">
    /// Its training configuration; device, threads and output are the runner's to set.
    /// </param>
    /// <param name="axes">
    /// What sets it apart from the study's other runs, by column name, in the order of columns.
    /// </param>
    /// <param name="vocabularySize">Size of its tokenizer's vocabulary.</param>
    /// <exception cref="InvalidInputException">The model cannot be built.</exception>
    public PlannedRun(
        string label, TrainingConfiguration configuration, IReadOnlyList<KeyValuePair<string, string>> axes,
        int vocabularySize)
    {
        Configuration = configuration;
        Axes = axes;
        Fingerprint = RunFingerprint.Of(configuration);
        Name = $"{RunFingerprint.FileName(label)}-{Fingerprint[..8]}";
        Plan = TrainingPlan.Create(configuration, vocabularySize);
    }

    /// <summary>
    /// Its name and directory: the label and the beginning of the fingerprint, so that other settings make another
    /// name.
    /// </summary>
    public string Name { get; }

    /// <summary>Its training configuration.</summary>
    public TrainingConfiguration Configuration { get; }

    /// <summary>What sets it apart from the study's other runs, by column name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Axes { get; }

    /// <summary>A digest of every setting that decides the outcome.</summary>
    public string Fingerprint { get; }

    /// <summary>The configuration with all defaults resolved.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Tokens it trains on.</summary>
    public long Tokens => Plan.Steps * Plan.TokensPerStep;

    /// <summary>Floating-point operations of matrix products that its training takes.</summary>
    public double Flops => Tokens * ModelCost.TrainingFlopsPerToken(Plan.Model);
}
