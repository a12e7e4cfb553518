using AnTransformer.Architectures;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>What <c>angpt bench</c> times: the size that all contestants have, and where they run.</summary>
internal sealed record BenchSettings(
    IReadOnlyList<string> Architectures,
    bool Eager,
    int HiddenSize,
    int Layers,
    int Heads,
    int? KeyValueHeads,
    int? HeadSize,
    int? SlidingWindow,
    bool TieWordEmbeddings,
    int Context,
    int BatchSize,
    int VocabSize,
    int? IntermediateSize,
    string Device,
    string ComputeDtype,
    int Threads,
    int Seed)
{
    // Token ids of a batch are made as one array of 64-bit numbers.
    private const long MostTokens = 1L << 28;

    public long TokensPerStep => (long)BatchSize * Context;

    public bool OnCpu => Device == "cpu";

    /// <summary>Reads architecture names; what comes twice counts once.</summary>
    /// <exception cref="InvalidInputException">A name is unknown.</exception>
    public static IReadOnlyList<string> ParseArchitectures(IEnumerable<string> names)
        => names.Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(name => ArchitectureRegistry.GetTrained(name, "bench: architecture").Name).ToList();

    /// <summary>Model, optimizer and clipping of an architecture, as training would have them.</summary>
    /// <exception cref="InvalidInputException">Sizes do not fit together.</exception>
    public TrainingPlan Plan(string architecture)
    {
        var configuration = new TrainingConfiguration
        {
            Model = new ModelSection
            {
                Architecture = architecture,
                HiddenSize = HiddenSize,
                NumHiddenLayers = Layers,
                NumAttentionHeads = Heads,
                NumKeyValueHeads = KeyValueHeads,
                HeadDim = HeadSize,
                SlidingWindow = SlidingWindow,
                TieWordEmbeddings = TieWordEmbeddings,
                MaxPositionEmbeddings = Context,
                IntermediateSize = IntermediateSize,
            },
        };
        configuration.Training.Steps = 1;
        configuration.Training.BatchSize = BatchSize;
        return TrainingPlan.Create(configuration, VocabSize);
    }

    /// <summary>Checks the sizes before anything is allocated.</summary>
    /// <exception cref="InvalidInputException">Sizes do not fit together, or not into this machine.</exception>
    public void Validate()
    {
        if (TokensPerStep > MostTokens)
        {
            throw new InvalidInputException(
                $"bench: --batch-size {BatchSize} times --context {Context} exceeds {MostTokens} tokens in a step; "
                    + "choose smaller ones.");
        }

        var models = Architectures.Select(architecture => Plan(architecture).Model).ToList();
        if (!OnCpu)
            return;
        // All contestants live at once, but only one of them steps at a time and so holds activations.
        var contestants = Eager ? 2 : 1;
        var needed = models.Sum(
            model => contestants * ModelCost.TrainingBytes(model, tokensPerMicroBatch: 0, activationBytes: 4))
            + models.Max(model => ModelCost.TrainingBytes(model, TokensPerStep, activationBytes: 4));
        var available = (double)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (needed > available)
        {
            throw new InvalidInputException(
                $"bench: models of this size need about {needed / 1e9:f1} GB together and this machine has "
                    + $"{available / 1e9:f1} GB; "
                + "choose smaller sizes or fewer architectures.");
        }
    }
}
