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

    private static readonly string[] Sections = ["model.", "optimizer."];

    // What this command's own options decide, for all contestants alike.
    private static readonly string[] Shared =
    [
        "architecture", "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
        "sliding_window", "tie_word_embeddings", "max_position_embeddings", "intermediate_size", "steps", "batch_size",
    ];

    public long TokensPerStep => (long)BatchSize * Context;

    public bool OnCpu => Device == "cpu";

    /// <summary>
    /// Reads architectures, each with settings of its own after it, as in <c>angpt optimizer.spectral_clip=0</c>; what
    /// comes twice counts once.
    /// </summary>
    /// <exception cref="InvalidInputException">A name or a setting is unknown.</exception>
    public static IReadOnlyList<string> ParseArchitectures(IEnumerable<string> names)
        => names.Select(Parse).Distinct(StringComparer.Ordinal).ToList();

    /// <summary>Whether a contestant has an eager twin, whose optimizer is AdamW as it comes.</summary>
    public bool HasEager(string architecture)
        => Eager && !architecture.Contains(" optimizer.", StringComparison.Ordinal);

    /// <summary>The architecture without settings of its own.</summary>
    public static string Plain(string architecture) => architecture.Split(' ')[0];

    private static string Parse(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var architecture = ArchitectureRegistry.GetTrained(words[0], "bench: architecture").Name;
        if (words.Skip(1).FirstOrDefault(word => !word.Contains('=', StringComparison.Ordinal)) is { } word)
        {
            throw new InvalidInputException(
                $"bench: '{Printable.Excerpt(word)}' after {architecture} is no setting; write it as "
                    + "KEY=VALUE, for example optimizer.spectral_clip=0.");
        }

        if (words.Skip(1).FirstOrDefault(
            word => !Sections.Any(section => word.StartsWith(section, StringComparison.Ordinal))) is { } other)
        {
            throw new InvalidInputException(
                $"bench: '{Printable.Excerpt(other)}' would change nothing that is timed; settings after a name are "
                    + "those of model and optimizer.");
        }

        if (words.Skip(1).Select(word => word.Split('=')[0].Split('.')[^1].Replace('-', '_'))
            .FirstOrDefault(name => Shared.Contains(name, StringComparer.Ordinal)) is { } shared)
        {
            throw new InvalidInputException(
                $"bench: {shared} is the same for all contestants; leave it out after {architecture}, and see "
                    + "'angpt bench --help' for the option.");
        }

        return string.Join(' ', [architecture, .. words.Skip(1)]);
    }

    /// <summary>Model, optimizer and clipping of an architecture, as training would have them.</summary>
    /// <exception cref="InvalidInputException">Sizes do not fit together.</exception>
    public TrainingPlan Plan(string architecture)
    {
        var overrides = architecture.Split(' ').Skip(1).Select(word => word.Split('=', 2))
            .Select(pair => (pair[0], pair[1])).ToList();
        var configuration = ConfigurationBinder.Defaults<TrainingConfiguration>(overrides);
        var model = configuration.Model;
        model.Architecture = Plain(architecture);
        model.HiddenSize = HiddenSize;
        model.NumHiddenLayers = Layers;
        model.NumAttentionHeads = Heads;
        model.NumKeyValueHeads = KeyValueHeads;
        model.HeadDim = HeadSize;
        model.SlidingWindow = SlidingWindow;
        model.TieWordEmbeddings = TieWordEmbeddings;
        model.MaxPositionEmbeddings = Context;
        model.IntermediateSize = IntermediateSize;
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
