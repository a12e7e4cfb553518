using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Adam, with AdamW's decoupled decay on matrices (gains and scales are never decayed) and, for a model, its row constraint. State
/// is in the parameters' dtype and open, so that a checkpoint can hold all of it. In fp32 a step is one pass over
/// parameters, gradients and moments: see <see cref="FusedAdam"/> and <see cref="CudaAdam"/>. With <see cref="AdamOptions.Muon"/> the
/// blocks' matrices are updated by Muon instead.
/// </summary>
public sealed class Adam : IDisposable
{
    private readonly AdamOptions _options;
    private readonly List<ParameterState> _states;
    private readonly List<ParameterState> _byAdam;
    private readonly List<ParameterState> _byMuon = [];
    private readonly List<ParameterState> _clipped = [];
    private readonly List<Tensor> _owned = [];
    private readonly Tensor? _gradients;

    /// <summary>Creates the optimizer a model's architecture is trained with: see <see cref="AdamOptions.For"/>.</summary>
    /// <param name="model">What to optimize; its gradients become one flat buffer (<see cref="ParameterStore.Gradients"/>).</param>
    public Adam(LanguageModel model)
        : this(model, AdamOptions.For(model.Config))
    {
    }

    /// <summary>Creates the optimizer of a model, with moments of zeros; steps keep the model's matrices in their constrained space.</summary>
    /// <param name="model">What to optimize; its gradients become one flat buffer (<see cref="ParameterStore.Gradients"/>).</param>
    /// <param name="options">
    /// Constants; <see cref="AdamOptions.For"/> has the architecture's own, to be changed by <c>with</c>.
    /// </param>
    public Adam(LanguageModel model, AdamOptions options)
    {
        _options = options;
        var store = model.Store;
        _gradients = Own(store.Gradients());
        var offsets = store.Parameters.ToDictionary(item => item.Parameter.Handle, item => item.Offset);
        using var values = store.Values();
        var (means, squares) = (Own(Zeros(values)), Own(Zeros(values)));
        var spaces = model.Matrices().ToDictionary(
            item => item.Matrix.Handle, item => (model.Config.Constraint, Dimension: model.VectorDimension(item.IsOutput)));
        _states = model.NamedParameters().Select(item =>
        {
            var (constraint, dimension) = spaces.GetValueOrDefault(item.Parameter.Handle, (RowConstraint.None, 1));
            var role = model.RoleOf(item.Parameter);
            var isByMuon = options.Muon is not null && role == ParameterRole.Hidden;
            return new ParameterState(
                item.Name,
                item.Parameter,
                Part(means, offsets[item.Parameter.Handle], item.Parameter.shape),
                Part(squares, offsets[item.Parameter.Handle], item.Parameter.shape),
                constraint,
                dimension)
            {
                // Muon's rate is the angle itself.
                Multiple = (isByMuon ? options.Factors with { WidthExponent = 0 } : options.Factors).Of(role, item.Parameter.shape[^1]),
                IsByMuon = isByMuon,
                SingularVector = options.SpectralClip > 0 && role != ParameterRole.Scale && !isByMuon
                    ? Own(SpectralClipping.InitialVector(values, item.Parameter.shape[1]))
                    : null,
            };
        }).ToList();
        _byMuon = _states.FindAll(state => state.IsByMuon);
        _clipped = _states.FindAll(state => state.SingularVector is not null);
        _byAdam = _states.FindAll(state => !state.IsByMuon && state.SingularVector is null);
    }

    /// <summary>Creates the optimizer of any parameters, unconstrained, with moments of zeros.</summary>
    /// <param name="parameters">What to optimize, with the names its state is saved under.</param>
    /// <param name="options">Constants; which parameters are matrices of blocks is not known here, so that rates per role and Muon do not apply.</param>
    public Adam(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamOptions options)
    {
        _options = options;
        _states = parameters.Select(item => new ParameterState(
            item.Name, item.Parameter, Own(zeros_like(item.Parameter)), Own(zeros_like(item.Parameter)), RowConstraint.None, 1)).ToList();
        _byAdam = _states;
    }

    /// <summary>Number of steps taken; it sets the bias correction.</summary>
    public long Step { get; private set; }

    /// <summary>
    /// The moments by name: <c>exp_avg.NAME</c> and, for parameters updated by Adam, <c>exp_avg_sq.NAME</c>, shaped as the parameter NAME;
    /// with <see cref="AdamOptions.SpectralClip"/> also <c>singular_vector.NAME</c>, [in].
    /// </summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State()
    {
        foreach (var state in _states)
        {
            yield return new("exp_avg." + state.Name, state.Mean);
            if (!state.IsByMuon)
                yield return new("exp_avg_sq." + state.Name, state.Square);
            if (state.SingularVector is not null)
                yield return new("singular_vector." + state.Name, state.SingularVector);
        }
    }

    /// <summary>Continues from loaded moments (written into <see cref="State"/>'s tensors) after a number of steps.</summary>
    /// <param name="step">Steps that had been taken.</param>
    public void Resume(long step) => Step = step;

    /// <summary>
    /// One step from the parameters' gradients, which are zero afterwards: <see cref="AdamOptions.GradientClipping"/>, moments, decay,
    /// update, and a model's constraint. Parameters without a gradient are left alone.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    public void Update(double learningRate)
        => Update(learningRate, _options.GradientClipping > 0 ? _options.ClippingFactor(GradientNorm()) : 1);

    /// <summary>The same with gradients scaled by the caller, who knows their norm already, in place of the options' clipping.</summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="gradientFactor">What gradients are multiplied by first: <see cref="AdamOptions.ClippingFactor"/>.</param>
    public void Update(double learningRate, double gradientFactor)
    {
        using var timer = PhaseClock.Measure(Phase.Optimizer);
        using var noGrad = no_grad();
        Step++;
        var squareCorrection = Math.Sqrt(1 - Math.Pow(_options.Beta2, Step));
        var stepSize = learningRate / (1 - Math.Pow(_options.Beta1, Step));
        var step = new AdamStep(
            (float)_options.Beta1, (float)_options.Beta2, (float)(1 - _options.Beta1), (float)(1 - _options.Beta2), (float)_options.Epsilon,
            (float)stepSize, (float)(1 / squareCorrection), Keep: 1, (float)gradientFactor);
        var decayed = step with { Keep = (float)(1 - (learningRate * _options.WeightDecay)) };
        foreach (var state in _byMuon)
        {
            Muon.Update(
                state, _options.Muon!, learningRate * _options.Muon!.LearningRateFactor * state.Multiple, _options.WeightDecay, gradientFactor);
        }

        foreach (var state in _clipped)
            SpectralClipping.Update(state, (state.IsDecayed ? decayed : step).At((float)state.Multiple), _options.SpectralClip);
        if (FusedAdam.TryUpdate(_byAdam, step, decayed) || CudaAdam.TryUpdate(_byAdam, step, decayed))
            return;
        Dispatch.Record(Operation.Adam, DispatchPath.Eager);
        foreach (var state in _byAdam)
        {
            using var scope = NewDisposeScope();
            if (state.Gradient() is { } gradient)
                Update(state, gradient, learningRate * state.Multiple, stepSize * state.Multiple, squareCorrection, gradientFactor);
        }
    }

    /// <summary>√Σ‖g‖² over all gradients, in double precision on the host.</summary>
    public double GradientNorm()
    {
        using var timer = PhaseClock.Measure(Phase.Optimizer);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        if ((FusedAdam.TryGradientNorm(_states) ?? CudaAdam.TryGradientNorm(_states, _gradients)) is { } fused)
            return fused;
        Dispatch.Record(Operation.GradientNorm, DispatchPath.Eager);
        var norms = _states.Select(state => state.Gradient()).OfType<Tensor>().Select(gradient => gradient.norm()).ToList();
        return norms.Count == 0 ? 0 : stack(norms).to(ScalarType.Float64).norm().item<double>();
    }

    /// <summary>Empties the gradients, which a step does by itself.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        foreach (var state in _states)
            state.Parameter.grad?.zero_();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _owned)
            tensor.Dispose();
    }

    private void Update(
        ParameterState state, Tensor gradient, double learningRate, double stepSize, double squareCorrection, double gradientFactor)
    {
        if (gradientFactor != 1)
            gradient.mul_(gradientFactor);
        if (_options.WeightDecay != 0 && state.IsDecayed)
            state.Parameter.mul_(1 - (learningRate * _options.WeightDecay));
        state.Mean.lerp_(gradient, 1 - _options.Beta1);
        state.Square.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
        var denominator = state.Square.sqrt().div_(squareCorrection).add_(_options.Epsilon);
        state.Parameter.addcdiv_(state.Mean, denominator, -stepSize);
        state.Constraint.Apply(state.Parameter, state.Dimension);
        gradient.zero_();
    }

    private static Tensor Zeros(Tensor like) => ParameterStore.Zeros(like.numel(), like.dtype, like.device);

    private Tensor Own(Tensor tensor)
    {
        _owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    private Tensor Part(Tensor flat, long offset, long[] shape)
    {
        using var part = flat.narrow(0, offset, shape.Aggregate(1L, (product, size) => product * size));
        return Own(part.view(shape));
    }
}

/// <summary>A parameter with its moments and the space its vectors are kept in.</summary>
/// <param name="Name">Name in checkpoints.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="Mean">Mean of gradients.</param>
/// <param name="Square">Mean of squared gradients.</param>
/// <param name="Constraint">The space.</param>
/// <param name="Dimension">The dimension along which a vector lies: 1 for rows, 0 for columns.</param>
internal sealed record ParameterState(
    string Name, Parameter Parameter, Tensor Mean, Tensor Square, RowConstraint Constraint, int Dimension)
{
    /// <summary>What the step's learning rate is multiplied by.</summary>
    public double Multiple { get; init; } = 1;

    /// <summary>Where <see cref="SpectralClipping"/> applies, the largest right singular vector of its steps, [in]; else null.</summary>
    public Tensor? SingularVector { get; init; }

    /// <summary>Whether <see cref="Muon"/> updates it.</summary>
    public bool IsByMuon { get; init; }

    /// <summary>Whether a step changes the parameter.</summary>
    public bool HasGradient
    {
        get
        {
            using var gradient = Gradient();
            return gradient is not null;
        }
    }

    /// <summary>The gradient, a new wrapper; null for a parameter that has none or is frozen.</summary>
    public Tensor? Gradient() => Parameter.requires_grad ? Parameter.grad : null;

    /// <summary>Whether weight decay applies: to matrices.</summary>
    public bool IsDecayed { get; } = Parameter.dim() > 1;
}
