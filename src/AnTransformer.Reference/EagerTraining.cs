using AnTransformer.Architectures;
using AnTransformer.Configuration;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Reference;

/// <summary>
/// Training steps of a twin with TorchSharp's own AdamW: what the architecture prescribes for decay (0.1 on matrices of
/// GPT and GPT+), clipping (GPT and GPT+) and the constraint of its matrices.
/// </summary>
public sealed class EagerTraining : IDisposable
{
    private const double SmallestVectorNorm = 1e-30;
    private readonly EagerModel _model;
    private readonly AdamW _optimizer;
    private readonly Parameter[] _parameters;
    private readonly (Parameter Matrix, int Dimension)[] _matrices;
    private readonly double _gradientClipping;

    /// <summary>Creates the optimizer's state.</summary>
    /// <param name="model">The twin, not owned.</param>
    /// <param name="gradientClipping">
    /// Largest gradient norm; 0 for no clipping; null for the architecture's own.
    /// </param>
    public EagerTraining(EagerModel model, double? gradientClipping = null)
    {
        _model = model;
        var defaults = ArchitectureRegistry.Get(model.Config.Architecture).Training;
        _gradientClipping = gradientClipping ?? defaults.GradientClipping;
        _parameters = model.NamedParameters.Select(item => item.Parameter).ToArray();
        _matrices = model.NamedParameters
            .Where(item => item.Parameter.dim() == 2)
            .Select(item => (item.Parameter, VectorDimension(item.Name)))
            .ToArray();
        _optimizer = optim.AdamW(
            [
                Group(_matrices.Select(item => item.Matrix), defaults.WeightDecay),
                Group(_parameters.Where(parameter => parameter.dim() != 2), weightDecay: 0),
            ]);
    }

    /// <summary>A whole step.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <param name="learningRate">Learning rate.</param>
    /// <returns>The loss before the step, in nats per token.</returns>
    public double Step(Tensor tokens, Tensor targets, double learningRate)
    {
        var loss = ForwardBackward(tokens, targets);
        Update(learningRate);
        return loss;
    }

    /// <summary>The first half of a step: loss and gradients.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>The loss in nats per token.</returns>
    public double ForwardBackward(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using var loss = _model.Loss(tokens, targets);
        loss.backward();
        return loss.to(ScalarType.Float64).item<double>();
    }

    /// <summary>The second half of a step: clipping, AdamW, constraint; and gradients are emptied.</summary>
    /// <param name="learningRate">Learning rate.</param>
    public void Update(double learningRate)
    {
        using var scope = NewDisposeScope();
        if (_gradientClipping > 0)
            nn.utils.clip_grad_norm_(_parameters, _gradientClipping);
        foreach (var group in _optimizer.ParamGroups)
            group.LearningRate = learningRate;
        _optimizer.step();
        Constrain();
        _optimizer.zero_grad();
    }

    /// <inheritdoc/>
    public void Dispose() => _optimizer.Dispose();

    private static AdamW.ParamGroup Group(IEnumerable<Parameter> parameters, double weightDecay)
        => new(parameters, beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: weightDecay);

    /// <summary>
    /// The dimension along which a matrix's vectors lie: the model dimension for nGPT, the input for the others.
    /// </summary>
    private int VectorDimension(string name)
    {
        var writesToStream = name.EndsWith("o_proj.weight", StringComparison.Ordinal)
            || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
        return writesToStream && _model.Config.Architecture == "ngpt" ? 0 : 1;
    }

    private void Constrain()
    {
        if (_model.Config.Constraint == RowConstraint.None)
            return;
        using var noGrad = no_grad();
        var smallestDivisor = _model.Config.Constraint == RowConstraint.Bounded ? 1 : SmallestVectorNorm;
        foreach (var (matrix, dimension) in _matrices)
        {
            using var scope = NewDisposeScope();
            matrix.div_(matrix.norm(dimension, keepdim: true, p: 2).clamp_min(smallestDivisor));
        }
    }
}
