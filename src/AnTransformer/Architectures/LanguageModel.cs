using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// What the architectures share: token embedding, blocks, head, and parameter names as Hugging Face's Llama has
/// them. Normalization, the one thing they differ in, is in each one's own folder.
/// </summary>
public abstract class LanguageModel : nn.Module<Tensor, Tensor>
{
    // At most, for the padding between parameters.
    private const long TensorsPerBlock = 12;
    private const long TensorsOutsideBlocks = 4;

    private readonly RotaryEmbedding _rotary;

    /// <summary>Creates the shared parts with parameters of zeros.</summary>
    /// <param name="name">Class name.</param>
    /// <param name="config">Shape; must be valid.</param>
    /// <param name="context">Dtypes and device.</param>
    /// <param name="createBlock">
    /// Makes one of the L blocks, with parameters in this model's <see cref="Store"/>.
    /// </param>
    protected LanguageModel(
        string name, ModelConfig config, ModelContext context, Func<ModelContext, TransformerBlock> createBlock)
        : base(name)
    {
        Config = config;
        Store = new ParameterStore(
            ParameterStore.CapacityFor(
                ModelCost.Parameters(config), (TensorsPerBlock * config.NumHiddenLayers) + TensorsOutsideBlocks),
            context.MasterDtype,
            context.Device);
        Context = context.Of(Store);
        _rotary = new RotaryEmbedding(config, context);
        EmbedTokens = new TokenEmbedding(config.VocabSize, config.HiddenSize, Context);
        Blocks = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => createBlock(Context)).ToArray();
        Head = config.TieWordEmbeddings
            ? new Projection(EmbedTokens.Weight, Context)
            : new Projection(config.HiddenSize, config.VocabSize, Context);
        Decoder = new ModuleTree().With("embed_tokens", EmbedTokens).With("layers", ModuleTree.Of(Blocks));
        register_module("model", Decoder);
        // A tied head has no parameter of its own, and none under its name in a checkpoint.
        if (!config.TieWordEmbeddings)
            register_module("lm_head", Head);
    }

    /// <summary>Shape and normalization.</summary>
    public ModelConfig Config { get; }

    /// <summary>Device and dtypes.</summary>
    public ModelContext Context { get; }

    /// <summary>E, [V, d].</summary>
    public TokenEmbedding EmbedTokens { get; }

    /// <summary>The L blocks.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>W_head, [V, d]; the same parameter as E where embeddings are tied.</summary>
    public Projection Head { get; }

    /// <summary>All parameters as one flat buffer.</summary>
    public ParameterStore Store { get; }

    /// <summary>
    /// The dimension along which the vectors of output matrices (W_o, W_d) are constrained: 1, rows, but for nGPT.
    /// </summary>
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
        return ArchitectureRegistry.Get(config.Architecture).CreateModel(config, context);
    }

    /// <summary>Logits of every position.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    public override Tensor forward(Tensor tokens) => forward(tokens, cache: null);

    /// <summary>Logits of tokens that follow those in a cache.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="cache">Keys and values of earlier tokens, extended by these; null for a pass of its own.</param>
    /// <param name="observer">Hears of the values on the way; null for nobody.</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    /// <exception cref="ArgumentException">More tokens than the context holds.</exception>
    /// <exception cref="InvalidOperationException">There is a cache, and attention is not causal.</exception>
    public Tensor forward(Tensor tokens, KeyValueCache? cache, IActivationObserver? observer = null)
    {
        if (cache is not null && !Config.IsCausal)
            throw new InvalidOperationException(KeyValueCache.NotCausal);
        var start = cache?.Length ?? 0;
        RequireFit(tokens, start);
        using var scope = NewDisposeScope();
        return Logits(Stream(tokens, start, cache, observer)).MoveToOuterDisposeScope();
    }

    /// <summary>Logits of some positions only.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="positions">Which, as b·T + t, int64, [N].</param>
    /// <returns>Shape [N, V] in the master dtype.</returns>
    /// <exception cref="ArgumentException">More tokens than the context holds.</exception>
    public Tensor LogitsAt(Tensor tokens, Tensor positions)
    {
        RequireFit(tokens, start: 0);
        using var scope = NewDisposeScope();
        var rows = Stream(tokens, start: 0, cache: null).reshape(-1, Config.HiddenSize).index_select(0, positions);
        return Logits(rows.unsqueeze(0)).squeeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross-entropy in nats per token.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">
    /// The id after each, int64, [B, T]; of a masked language model each token's own where it is to be predicted, and
    /// <see cref="IgnoredTargets.Index"/> elsewhere, which costs no logits and does not count in the mean.
    /// </param>
    /// <param name="observer">Hears of the values on the way; null for nobody.</param>
    /// <returns>A scalar in the master dtype. Its backward pass runs once, and before the parameters change.</returns>
    /// <exception cref="ArgumentException">More tokens than the context holds.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not in the vocabulary.</exception>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">
    /// A target is not in the vocabulary, or there are not as many as tokens.
    /// </exception>
    public Tensor Loss(Tensor tokens, Tensor targets, IActivationObserver? observer = null)
    {
        using var scope = NewDisposeScope();
        RequireFit(tokens, start: 0);
        var h = Stream(tokens, start: 0, cache: null, observer);
        if (Config.Masking is not null)
            (h, targets) = IgnoredTargets.LeaveOut(h, targets);
        return new HeadLoss(HeadInput(h), Head, LogitRows, targets).Mean().MoveToOuterDisposeScope();
    }

    /// <summary>Cross-entropy of every position in nats.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>Shape [B, T] in the master dtype.</returns>
    /// <exception cref="ArgumentException">More tokens than the context holds.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is not in the vocabulary.</exception>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">
    /// A target is not in the vocabulary, or there are not as many as tokens.
    /// </exception>
    public Tensor TokenLosses(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        RequireFit(tokens, start: 0);
        var h = Stream(tokens, start: 0, cache: null);
        return new HeadLoss(HeadInput(h), Head, LogitRows, targets).PerToken().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Draws the parameters as the architecture prescribes (arXiv 2505.22014, arXiv 2410.01131), the same on every
    /// device.
    /// </summary>
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

    /// <summary>
    /// Applies the row constraint to every matrix, as <see cref="Optimization.Optimizer"/> does in each step when it is
    /// given the model.
    /// </summary>
    public void ConstrainParameters() => Constrain(Config.Constraint);

    /// <summary>Trainable parameters with their names in checkpoints, in registration order.</summary>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters() => named_parameters();

    /// <summary>What a parameter of this model does; what embedding and head share is the embedding.</summary>
    /// <param name="parameter">One of <see cref="NamedParameters"/>.</param>
    public ParameterRole RoleOf(Parameter parameter)
        => parameter.Handle == EmbedTokens.Weight.Handle ? ParameterRole.Embedding
            : parameter.Handle == Head.Weight.Handle ? ParameterRole.Head
            : parameter.dim() == 1 ? ParameterRole.Scale
            : ParameterRole.Hidden;

    /// <summary>
    /// Hears in a backward pass that gradients are complete: of the head's matrix (the number of blocks), then of each
    /// block from the last to the first. What belongs to neither is complete when the pass has ended. Null for nobody.
    /// </summary>
    internal Action<int>? GradientsReady { get; set; }

    /// <summary>
    /// The parameters of which <see cref="GradientsReady"/> tells, by its number; none for a tied head.
    /// </summary>
    internal IReadOnlyList<IReadOnlyList<Parameter>> AnnouncedParameters()
        => [.. Blocks.Select(block => block.parameters().ToArray()), Config.TieWordEmbeddings ? [] : [Head.Weight]];

    /// <summary>The logit scale s_z, [V], or null for none.</summary>
    protected virtual ReparameterizedScale? LogitScale => null;

    /// <summary>The stream that the first block reads.</summary>
    /// <param name="embedded">Rows of E, [B, T, d].</param>
    /// <returns>Shape [B, T, d].</returns>
    protected virtual Tensor ScaleEmbedding(Tensor embedded) => embedded;

    /// <summary>What the head is applied to.</summary>
    /// <param name="h">The stream after the last block, [B, T, d].</param>
    /// <returns>The stream or a function of it, [B, T, d].</returns>
    protected abstract LinearInput HeadInput(Tensor h);

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
            constraint.Apply(matrix, VectorDimension(isOutput));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _rotary.Dispose();
        base.Dispose(disposing);
        if (disposing && Config.TieWordEmbeddings)
            Head.Dispose();
        if (disposing)
            Store.Dispose();
    }

    private ReparameterizedRows? LogitRows => LogitScale is null ? null : new ReparameterizedRows([(LogitScale, 1)]);

    /// <summary>Logits s_z ⊙ W_head h, [B, T, V], in the master dtype.</summary>
    private Tensor Logits(Tensor h) => Context.ToMaster(new LinearMap(HeadInput(h), [Head], Scales: LogitRows).Apply());

    /// <summary>The residual stream after the last block, [B, T, d].</summary>
    private Tensor Stream(Tensor tokens, long start, KeyValueCache? cache, IActivationObserver? observer = null)
    {
        var h = ScaleEmbedding(EmbedTokens.forward(tokens));
        observer?.Observe(null, Activation.Embedding, h);
        for (var layer = 0; layer < Blocks.Count; layer++)
        {
            h = Blocks[layer].forward(Announced(h, layer), _rotary, start, cache?[layer],
                observer is null ? null : new LayerObserver(observer, layer, Config.Attention));
            observer?.Observe(layer, Activation.StreamAfterMlp, h);
        }

        if (observer is not null)
            Observe(h, observer);
        return Announced(h, Blocks.Count);
    }

    /// <summary>
    /// The same stream through a node of the graph whose backward pass says that it has been reached.
    /// </summary>
    private Tensor Announced(Tensor h, int index)
    {
        if (GradientsReady is not { } ready || !AutogradNode.IsNeeded(h))
            return h;
        var output = h.detach();
        AutogradNode.Record([h], output, [], gradient =>
        {
            ready(index);
            return [gradient.alias()];
        });
        return output;
    }

    private void Observe(Tensor h, IActivationObserver observer)
    {
        using var scope = NewDisposeScope();
        var input = HeadInput(h).Eager();
        observer.Observe(null, Activation.HeadInput, input);
        // A sequence at a time: logits are as wide as the vocabulary.
        foreach (var sequence in input.unbind())
        {
            using var inner = NewDisposeScope();
            observer.Observe(null, Activation.Logits, Head.forward(sequence));
        }
    }

    private void RequireFit(Tensor tokens, long start)
    {
        if (start + tokens.shape[1] > Config.MaxPositionEmbeddings)
        {
            throw new ArgumentException(
                $"{start + tokens.shape[1]} tokens exceed the context of {Config.MaxPositionEmbeddings}.",
                nameof(tokens));
        }
    }

    /// <summary>The dimension along which the vectors of a matrix are constrained: 1 for rows, 0 for columns.</summary>
    internal int VectorDimension(bool isOutput) => isOutput ? OutputVectorDimension : 1;

    /// <summary>The parameters with all that an optimizer has to know of them, in registration order.</summary>
    internal IEnumerable<TrainedParameter> TrainedParameters()
    {
        var outputs = Matrices().ToDictionary(item => item.Matrix.Handle, item => item.IsOutput);
        foreach (var (name, parameter) in NamedParameters())
        {
            yield return outputs.TryGetValue(parameter.Handle, out var isOutput)
                ? new TrainedParameter(name, parameter, RoleOf(parameter), Config.Constraint, VectorDimension(isOutput))
                : new TrainedParameter(name, parameter, RoleOf(parameter));
        }
    }

    /// <summary>A block's matrices, and whether each writes to the residual stream.</summary>
    internal static IEnumerable<(Parameter Matrix, bool IsOutput)> MatricesOf(TransformerBlock block) =>
    [
        (block.SelfAttention.QProj.Weight, false),
        (block.SelfAttention.KProj.Weight, false),
        (block.SelfAttention.VProj.Weight, false),
        (block.SelfAttention.OProj.Weight, true),
        (block.Mlp.GateProj.Weight, false),
        (block.Mlp.UpProj.Weight, false),
        (block.Mlp.DownProj.Weight, true),
    ];

    /// <summary>The matrices, and whether each writes to the residual stream.</summary>
    internal IEnumerable<(Parameter Matrix, bool IsOutput)> Matrices()
    {
        yield return (EmbedTokens.Weight, false);
        foreach (var matrix in Blocks.SelectMany(MatricesOf))
            yield return matrix;
        if (!Config.TieWordEmbeddings)
            yield return (Head.Weight, false);
    }
}
