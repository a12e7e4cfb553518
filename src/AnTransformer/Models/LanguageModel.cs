using AnTransformer.Generation;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Models;

/// <summary>
/// What the four architectures share: token embedding, blocks, untied head, and parameter names as Hugging Face's Llama has
/// them. Normalization, the one thing they differ in, is in <see cref="Gpt"/>, <see cref="NGpt"/> and <see cref="AnGpt"/>.
/// </summary>
public abstract class LanguageModel : nn.Module<Tensor, Tensor>
{
    private readonly RotaryEmbedding _rotary;
    private readonly Parameter _embeddingWeight;

    /// <summary>Creates the shared parts with parameters of zeros.</summary>
    /// <param name="name">Class name.</param>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <param name="createBlock">Makes one of the L blocks.</param>
    protected LanguageModel(string name, ModelConfig config, ModelContext context, Func<TransformerBlock> createBlock)
        : base(name)
    {
        Config = config;
        Context = context;
        _rotary = new RotaryEmbedding(config, context);
        EmbedTokens = nn.Embedding(config.VocabSize, config.HiddenSize, dtype: context.MasterDtype, device: context.Device);
        _embeddingWeight = EmbedTokens.weight!;     // TorchSharp makes a new wrapper at every access
        Blocks = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => createBlock()).ToArray();
        Head = new Projection(config.HiddenSize, config.VocabSize, context);
        Decoder = new ModuleTree().With("embed_tokens", EmbedTokens).With("layers", ModuleTree.Of(Blocks));
        register_module("model", Decoder);
        register_module("lm_head", Head);
    }

    /// <summary>Shape and normalization.</summary>
    public ModelConfig Config { get; }

    /// <summary>Device and dtypes.</summary>
    public ModelContext Context { get; }

    /// <summary>E, [V, d].</summary>
    public Embedding EmbedTokens { get; }

    /// <summary>The L blocks.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>W_head, [V, d].</summary>
    public Projection Head { get; }

    /// <summary>The dimension along which the vectors of output matrices (W_o, W_d) are constrained: 1, rows, but for nGPT.</summary>
    protected virtual int OutputVectorDimension => 1;

    /// <summary>The module named <c>model</c> in checkpoints.</summary>
    protected ModuleTree Decoder { get; }

    /// <summary>Builds a model with parameters that still have to be initialized or loaded.</summary>
    /// <param name="config">Shape and normalization.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <exception cref="InvalidInputException">The configuration is not valid.</exception>
    public static LanguageModel Create(ModelConfig config, ModelContext context)
    {
        config.Validate("model configuration");
        return config.Architecture switch
        {
            Architecture.NGpt => new NGpt(config, context),
            Architecture.AnGpt => new AnGpt(config, context),
            _ => new Gpt(config, context),
        };
    }

    /// <summary>Logits of every position.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    public override Tensor forward(Tensor tokens) => forward(tokens, cache: null);

    /// <summary>Logits of tokens that follow those in a cache.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="cache">Keys and values of earlier tokens, extended by these; null for a pass of its own.</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    /// <exception cref="ArgumentException">More tokens than the context holds.</exception>
    public Tensor forward(Tensor tokens, KeyValueCache? cache)
    {
        var start = cache?.Length ?? 0;
        if (start + tokens.shape[1] > Config.MaxPositionEmbeddings)
        {
            throw new ArgumentException(
                $"{start + tokens.shape[1]} tokens exceed the context of {Config.MaxPositionEmbeddings}.", nameof(tokens));
        }

        using var scope = NewDisposeScope();
        var h = EmbedTokens.forward(tokens);
        for (var layer = 0; layer < Blocks.Count; layer++)
            h = Blocks[layer].forward(h, _rotary, start, cache?[layer]);
        return Logits(h).MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross-entropy in nats per token.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>A scalar in the master dtype.</returns>
    public Tensor Loss(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        return nn.functional.cross_entropy(forward(tokens).flatten(0, 1), targets.flatten()).MoveToOuterDisposeScope();
    }

    /// <summary>Cross-entropy of every position in nats.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>Shape [B, T] in the master dtype.</returns>
    public Tensor TokenLosses(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        return nn.functional.cross_entropy(forward(tokens).flatten(0, 1), targets.flatten(), reduction: nn.Reduction.None)
            .view(targets.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the parameters as the architecture prescribes (METHOD section 6), the same on every device.</summary>
    /// <param name="seed">Seed of the draw.</param>
    public void Initialize(long seed)
    {
        using var noGrad = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var (matrix, isOutput) in Matrices())
        {
            using var scope = NewDisposeScope();
            var drawn = randn(matrix.shape, dtype: Context.MasterDtype, generator: generator);
            matrix.copy_(drawn * InitialDeviation(isOutput));
        }

        FinishInitialization();
    }

    /// <summary>Applies the row constraint to every matrix; to be called after each optimizer step.</summary>
    public void ConstrainParameters() => Constrain(Config.Constraint);

    /// <summary>Trainable parameters with their names in checkpoints, in registration order.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters() => named_parameters();

    /// <summary>Logits of the stream after the last block.</summary>
    /// <param name="h">Shape [B, T, d].</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    protected abstract Tensor Logits(Tensor h);

    /// <summary>Standard deviation of a matrix's initial entries.</summary>
    /// <param name="isOutput">Whether the matrix writes to the residual stream (W_o, W_d).</param>
    protected abstract double InitialDeviation(bool isOutput);

    /// <summary>What follows the draw, for example normalization.</summary>
    protected virtual void FinishInitialization()
    {
    }

    /// <summary>Projects every matrix into a constrained space.</summary>
    /// <param name="constraint">The space.</param>
    protected void Constrain(RowConstraint constraint)
    {
        foreach (var (matrix, isOutput) in Matrices())
            constraint.Apply(matrix, isOutput ? OutputVectorDimension : 1);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _rotary.Dispose();
        base.Dispose(disposing);
    }

    private IEnumerable<(Parameter Matrix, bool IsOutput)> Matrices()
    {
        yield return (_embeddingWeight, false);
        foreach (var block in Blocks)
        {
            yield return (block.SelfAttention.QProj.Weight, false);
            yield return (block.SelfAttention.KProj.Weight, false);
            yield return (block.SelfAttention.VProj.Weight, false);
            yield return (block.SelfAttention.OProj.Weight, true);
            yield return (block.Mlp.GateProj.Weight, false);
            yield return (block.Mlp.UpProj.Weight, false);
            yield return (block.Mlp.DownProj.Weight, true);
        }

        yield return (Head.Weight, false);
    }
}
