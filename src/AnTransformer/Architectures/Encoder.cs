using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Architectures;

/// <summary>
/// An architecture's blocks and the normalization after them, as a module of its own, for models that read other things
/// than tokens: patches of images, frames, measurements. The model around it makes vectors of its inputs and does
/// something with the vectors that come back. <c>samples/ImageClassifier</c> is one.
/// </summary>
public sealed class Encoder : nn.Module<Tensor, Tensor>
{
    private readonly EncoderDesign _design;
    private readonly RotaryEmbedding _rotary;
    private readonly nn.Module<Tensor, Tensor>? _norm;
    private readonly IReadOnlyList<TransformerBlock> _blocks;

    internal Encoder(ModelConfig config, ModelContext context, EncoderDesign design)
        : base(nameof(Encoder))
    {
        (Config, Context, _design) = (config, context, design);
        _rotary = new RotaryEmbedding(config, context);
        _blocks = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => design.CreateBlock(context)).ToArray();
        register_module("layers", ModuleTree.Of(_blocks));
        _norm = design.CreateNorm?.Invoke(context);
        if (_norm is not null)
            register_module("norm", _norm);
    }

    /// <summary>Shape and normalization. The vocabulary's size is not used.</summary>
    public ModelConfig Config { get; }

    /// <summary>Device and dtypes.</summary>
    public ModelContext Context { get; }

    /// <summary>The L blocks.</summary>
    public IReadOnlyList<TransformerBlock> Blocks => _blocks;

    /// <summary>Builds an encoder with matrices of zeros; see <see cref="Initialize"/>.</summary>
    /// <param name="config">
    /// Shape and normalization; <see cref="ModelConfig.IsCausal"/> false for vectors that all see each other.
    /// </param>
    /// <param name="context">Dtypes and device.</param>
    /// <exception cref="InvalidInputException">The configuration is not valid.</exception>
    public static Encoder Create(ModelConfig config, ModelContext context)
    {
        config.Validate("encoder configuration");
        return ArchitectureRegistry.Get(config.Architecture).CreateEncoder(config, context);
    }

    /// <summary>Lets vectors see each other, L times.</summary>
    /// <param name="input">
    /// The residual stream, [B, T, d], in the master dtype: for anGPT and nGPT of norm 1, as the rows of their
    /// embeddings are. A vector's place in the sequence is its rotary position.
    /// </param>
    /// <returns>Shape [B, T, d] in the master dtype.</returns>
    /// <exception cref="ArgumentException">Another width than d, or more vectors than the context holds.</exception>
    public override Tensor forward(Tensor input)
    {
        if (input.dim() != 3 || input.shape[2] != Config.HiddenSize || input.shape[1] > Config.MaxPositionEmbeddings)
        {
            throw new ArgumentException(
                $"Shape [{string.Join(", ", input.shape)}] must be [B, T, {Config.HiddenSize}] with at most "
                + $"{Config.MaxPositionEmbeddings} vectors in a sequence.", nameof(input));
        }

        using var scope = NewDisposeScope();
        var h = input;
        foreach (var block in _blocks)
            h = block.forward(h, _rotary, start: 0, cache: null);
        return (_norm?.forward(h) ?? h).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the matrices as the architecture prescribes, the same on every device.</summary>
    /// <param name="seed">Seed of the draw.</param>
    public void Initialize(long seed)
    {
        using var noGrad = no_grad();
        using var generator = new Generator((ulong)seed, CPU);
        foreach (var (matrix, isOutput) in _blocks.SelectMany(LanguageModel.MatricesOf))
        {
            using var scope = NewDisposeScope();
            var drawn = randn(matrix.shape, dtype: Context.MasterDtype, generator: generator);
            matrix.copy_(drawn * _design.InitialDeviation(isOutput));
            if (_design.StartsOnSphere)
                RowConstraint.Exact.Apply(matrix, VectorDimension(isOutput));
        }
    }

    /// <summary>
    /// The parameters with all that an optimizer has to know of them; those of the model around it go beside them into
    /// <see cref="Optimization.Optimizer(IEnumerable{TrainedParameter}, Optimization.OptimizerSettings)"/>.
    /// </summary>
    /// <param name="prefix">What names begin with, for example <c>encoder.</c>.</param>
    public IEnumerable<TrainedParameter> TrainedParameters(string prefix = "")
    {
        var outputs = _blocks.SelectMany(LanguageModel.MatricesOf)
            .ToDictionary(item => item.Matrix.Handle, item => item.IsOutput);
        foreach (var (name, parameter) in named_parameters())
        {
            yield return outputs.TryGetValue(parameter.Handle, out var isOutput)
                ? new TrainedParameter(
                    prefix + name, parameter, ParameterRole.Hidden, Config.Constraint, VectorDimension(isOutput))
                : new TrainedParameter(prefix + name, parameter, ParameterRole.Scale);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _rotary.Dispose();
        base.Dispose(disposing);
    }

    private int VectorDimension(bool isOutput) => isOutput ? _design.OutputVectorDimension : 1;
}
