using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace ImageClassifier;

/// <summary>
/// A vision transformer (arXiv 2010.11929) of anGPT's blocks: patches become vectors of norm about 1, the blocks let all see
/// all, and the classes are read from the mean of what comes back. Nothing measures a norm but the first line, on the data.
/// </summary>
internal sealed class PatchClassifier : nn.Module<Tensor, Tensor>
{
    private readonly int _patch;
    private readonly double _patchFactor;
    private readonly Projection _patchProj;
    private readonly Encoder _encoder;
    private readonly Projection _head;
    private readonly ReparameterizedScale _logitScale;

    /// <summary>Creates the model with drawn matrices.</summary>
    /// <param name="config">Shape of the blocks, not causal, with the images' number of patches as context.</param>
    /// <param name="patch">Pixels on a side of a patch; divides the images' side.</param>
    /// <param name="classes">C.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    public PatchClassifier(ModelConfig config, int patch, int classes, long seed)
        : base(nameof(PatchClassifier))
    {
        var (context, inputs) = (ModelContext.Default, (patch * patch) + 1);
        _patch = patch;
        _patchFactor = Math.Sqrt((double)inputs / config.HiddenSize);     // ν = √(in/out): unit vectors to vectors of norm about 1
        _patchProj = new Projection(inputs, config.HiddenSize, context);
        _encoder = Encoder.Create(config, context);
        _head = new Projection(config.HiddenSize, classes, context);
        _logitScale = new ReparameterizedScale(classes, config.LogitScale, context);
        register_module("patch_proj", _patchProj);
        register_module("encoder", _encoder);
        register_module("head", _head);
        register_parameter("logit_scale", _logitScale.Stored);

        _encoder.Initialize(seed);
        using var noGrad = no_grad();
        using var generator = new Generator((ulong)seed + 1, CPU);
        foreach (var matrix in new[] { _patchProj.Weight, _head.Weight })
        {
            using var drawn = randn(matrix.shape, generator: generator);
            matrix.copy_(drawn);
            RowConstraint.Exact.Apply(matrix, dimension: 1);
        }
    }

    /// <summary>All parameters, and what holds for each: every row of every matrix stays inside the unit ball.</summary>
    public IEnumerable<TrainedParameter> TrainedParameters() =>
    [
        new("patch_proj.weight", _patchProj.Weight, ParameterRole.Hidden, RowConstraint.Bounded),
        .. _encoder.TrainedParameters("encoder."),
        new("head.weight", _head.Weight, ParameterRole.Head, RowConstraint.Bounded),
        new("logit_scale", _logitScale.Stored, ParameterRole.Scale),
    ];

    /// <summary>Logits of the classes.</summary>
    /// <param name="input">Images, [B, S, S].</param>
    /// <returns>Shape [B, C].</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();

        // A constant beside the pixels keeps how bright a patch is when its vector gets norm 1, and an empty one from being zero.
        var patches = nn.functional.pad(Patches(input), [0, 1], value: 1);
        var x = patches / patches.norm(2, keepdim: true);
        var h = _encoder.forward(_patchProj.forward(x, _patchFactor));
        return (_head.forward(h.mean([1])) * _logitScale.Value()).MoveToOuterDisposeScope();
    }

    /// <summary>[B, S, S] as [B, (S/p)², p²], row by row.</summary>
    private Tensor Patches(Tensor images)
    {
        var across = images.shape[1] / _patch;
        return images.view(-1, across, _patch, across, _patch).transpose(2, 3).reshape(-1, across * across, _patch * _patch);
    }
}
