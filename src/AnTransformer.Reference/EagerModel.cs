using AnTransformer.Architectures;
using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>
/// A language model written with TorchSharp's own modules and operators, one operator after the other: the baseline
/// that this project's kernels are timed against, and the oracle that they are tested against. It shares no computation
/// with <see cref="LanguageModel"/>, but its parameters have the same names, so that weights and gradients go from one
/// to the other.
/// </summary>
public abstract class EagerModel : nn.Module<Tensor, Tensor>
{
    private readonly Embedding _embedTokens;
    private readonly Tensor _cos;
    private readonly Tensor _sin;
    private IReadOnlyList<(string Name, Parameter Parameter)>? _namedParameters;

    private protected EagerModel(
        string name, ModelConfig config, EagerPrecision precision, Func<EagerBlock> createBlock)
        : base(name)
    {
        Config = config;
        Precision = precision;
        _embedTokens = nn.Embedding(
            config.VocabSize, config.HiddenSize, dtype: precision.Master, device: precision.Device);
        Head = precision.Linear(config.HiddenSize, config.VocabSize);
        Blocks = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => createBlock()).ToArray();
        Decoder = new EagerDecoder(_embedTokens, Blocks);
        register_module("model", Decoder);
        if (config.TieWordEmbeddings)
            Head.weight = _embedTokens.weight!;
        else
            register_module("lm_head", Head);
        (_cos, _sin) = RotaryTables();
    }

    /// <summary>Shape and normalization.</summary>
    public ModelConfig Config { get; }

    /// <summary>Parameters with the names that <see cref="LanguageModel.NamedParameters"/> gives them.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> NamedParameters
        => _namedParameters ??= named_parameters().ToList();

    private protected EagerPrecision Precision { get; }

    private protected IReadOnlyList<EagerBlock> Blocks { get; }

    private protected EagerDecoder Decoder { get; }

    private protected Linear Head { get; }

    /// <summary>
    /// Builds the twin of an architecture; its weights are to be copied from a model with <see cref="CopyFrom"/>.
    /// </summary>
    /// <param name="config">Shape and normalization.</param>
    /// <param name="device">Where it lives.</param>
    /// <param name="dtype">Dtype of weights, residual stream and reductions: fp32, or fp64 in tests.</param>
    /// <param name="computeDtype">
    /// Dtype of matrix products and attention, for example bf16; null for <paramref name="dtype"/>.
    /// </param>
    /// <exception cref="InvalidInputException">The configuration is not valid.</exception>
    public static EagerModel Create(
        ModelConfig config, Device device, ScalarType dtype = ScalarType.Float32, ScalarType? computeDtype = null)
    {
        config.Validate("model configuration");
        var precision = new EagerPrecision(device, dtype, computeDtype ?? dtype);
        return config.Architecture switch
        {
            "gpt" or "gpt+" => new EagerGpt(config, precision),
            "ngpt" => new EagerNGpt(config, precision),
            "angpt" => new EagerAnGpt(config, precision),
            "sandwich" => new EagerSandwich(config, precision),
            "dyt" => new EagerSquashing(config, precision, erf: false),
            "derf" => new EagerSquashing(config, precision, erf: true),
            var other => throw new InvalidInputException(
                $"{other} has no eager twin; run the benchmark with --eager false."),
        };
    }

    /// <summary>Copies the weights of a model of the same configuration, by name.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="ArgumentException">The parameters of the two do not have the same names.</exception>
    public void CopyFrom(LanguageModel model)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var sources = model.NamedParameters()
            .ToDictionary(item => item.Name, item => item.Parameter, StringComparer.Ordinal);
        var different = sources.Keys.ToHashSet(StringComparer.Ordinal);
        different.SymmetricExceptWith(NamedParameters.Select(item => item.Name));
        if (different.Count > 0)
            throw new ArgumentException(
                $"Only one of the model and its twin has {string.Join(", ", different)}.", nameof(model));
        foreach (var (name, parameter) in NamedParameters)
            parameter.copy_(sources[name]);
    }

    /// <summary>Logits of every position.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <returns>Shape [B, T, V] in the master dtype.</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var length = tokens.shape[1];
        var (cos, sin) = (_cos.narrow(0, 0, length), _sin.narrow(0, 0, length));
        var h = Embedded(_embedTokens.forward(tokens));
        foreach (var block in Blocks)
            h = block.forward(h, cos, sin);
        return Logits(h).MoveToOuterDisposeScope();
    }

    /// <summary>Mean cross-entropy in nats per token.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>A scalar in the master dtype.</returns>
    public Tensor Loss(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var logits = forward(tokens);
        return nn.functional.cross_entropy(logits.view(-1, Config.VocabSize), targets.view(-1))
            .MoveToOuterDisposeScope();
    }

    private protected virtual Tensor Embedded(Tensor h) => h;

    private protected abstract Tensor Logits(Tensor h);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cos.Dispose();
            _sin.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>cos and sin of position · θ^(−2i/d_h), [T, d_h/2] each.</summary>
    private (Tensor Cos, Tensor Sin) RotaryTables()
    {
        using var scope = NewDisposeScope();
        var exponents = arange(0, Config.HeadSize, 2, dtype: ScalarType.Float64) / Config.HeadSize;
        var positions = arange(Config.MaxPositionEmbeddings, dtype: ScalarType.Float64);
        var angles = positions.unsqueeze(1) * pow(Config.RopeTheta, -exponents);
        return (
            angles.cos().to(Precision.Master).to(Precision.Device).DetachFromDisposeScope(),
            angles.sin().to(Precision.Master).to(Precision.Device).DetachFromDisposeScope());
    }
}
