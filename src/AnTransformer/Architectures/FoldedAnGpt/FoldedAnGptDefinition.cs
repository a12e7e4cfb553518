using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Operators;

namespace AnTransformer.Architectures;

/// <summary>
/// What <c>angpt export --fold</c> makes of anGPT: for scoring, evaluation and generation. Not trained: what its
/// matrices' rows mean to anGPT's constraint is gone.
/// </summary>
public sealed class FoldedAnGptDefinition : ArchitectureDefinition
{
    /// <summary>The name <c>angpt-folded</c>.</summary>
    public const string ArchitectureName = "angpt-folded";

    /// <inheritdoc/>
    public override string Name => ArchitectureName;

    /// <inheritdoc/>
    public override string Summary => "trained anGPT as plain sums, its constants in the matrices";

    /// <inheritdoc/>
    public override TrainingDefaults Training { get; } = new();

    /// <inheritdoc/>
    public override ModelFields Fields => ModelFields.None;

    /// <inheritdoc/>
    public override LanguageModel CreateModel(ModelConfig config, ModelContext context)
        => new FoldedAnGpt(config, context);

    /// <inheritdoc/>
    public override Encoder CreateEncoder(ModelConfig config, ModelContext context)
        => new(config, context, FoldedAnGpt.EncoderOf(config));

    /// <inheritdoc/>
    public override DecoderGraph Describe(ModelConfig config, GraphParameters parameters)
    {
        BlockGraph Block(int layer) => new(
            new AttentionGraph(
                new IdentityFunction(),
                parameters.Query(layer),
                parameters.Key(layer),
                parameters.Value(layer),
                new UnitQueryKey(config.QkNorm),
                Math.Sqrt(config.HeadSize),
                parameters.Output(layer),
                new ResidualSum()),
            new MlpGraph(
                new IdentityFunction(),
                parameters.Gate(layer),
                parameters.Up(layer),
                parameters.Down(layer),
                new ResidualSum()));

        return new DecoderGraph(
            config,
            parameters.Embedding(),
            [.. Enumerable.Range(0, config.NumHiddenLayers).Select(Block)],
            new IdentityFunction(),
            parameters.Head());
    }

    /// <inheritdoc/>
    public override (long PerBlock, long Outside) CountScales(ModelConfig config) => (0, 0);

    /// <summary>
    /// None: the stream's channels have each a scale of their own, which the configuration does not know.
    /// </summary>
    /// <inheritdoc/>
    public override PredictedNorms PredictNorms(ModelConfig config) => new();

    /// <inheritdoc/>
    protected override ModelConfig WithDefaults(ModelConfig config) => config with
    {
        QkNorm = true,
        Constraint = RowConstraint.None,
    };
}
