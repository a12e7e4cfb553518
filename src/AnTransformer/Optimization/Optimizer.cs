using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Trains parameters by an <see cref="UpdateRule"/>. It has what all rules share: state in the parameters' dtype, flat
/// and open, so that a checkpoint can hold all of it; the number of steps; gradient clipping; decoupled decay of
/// matrices (gains and scales are never decayed); learning rates by kind of parameter; and, for a model, its row
/// constraint.
/// </summary>
public sealed class Optimizer : IDisposable
{
    private readonly List<ParameterState> _states = [];
    private readonly List<(UpdateRule Rule, List<ParameterState> States)> _groups = [];
    private readonly Dictionary<string, Tensor> _flat = [];
    private readonly List<Tensor> _owned = [];
    private readonly Tensor? _gradients;

    /// <summary>
    /// Creates the optimizer a model's architecture is trained with: see <see cref="OptimizerSettings.For"/>.
    /// </summary>
    /// <param name="model">
    /// What to optimize; its gradients become one flat buffer (<see cref="ParameterStore.Gradients"/>).
    /// </param>
    public Optimizer(LanguageModel model)
        : this(model, OptimizerSettings.For(model.Config))
    {
    }

    /// <summary>
    /// Creates the optimizer of a model, with fresh state; steps keep the model's matrices in their constrained space.
    /// </summary>
    /// <param name="model">
    /// What to optimize; its gradients become one flat buffer (<see cref="ParameterStore.Gradients"/>).
    /// </param>
    /// <param name="settings">
    /// Rule and constants; <see cref="OptimizerSettings.For"/> has the architecture's own, to be changed by
    /// <c>with</c>.
    /// </param>
    /// <param name="shardedOver">
    /// Processes that share state and work (ZeRO stage 1, arXiv 1910.02054): each updates some rows, and all have the
    /// new values after <see cref="Update(double, double)"/>. Null for an optimizer of all of them. Not owned.
    /// </param>
    public Optimizer(LanguageModel model, OptimizerSettings settings, ProcessGroup? shardedOver = null)
        : this(
            model.TrainedParameters(), settings, model.Store, shardedOver is { Size: > 1 } ? model : null, shardedOver)
    {
    }

    /// <summary>
    /// Creates the optimizer of a model of one's own, such as one around an <see cref="Encoder"/>, with fresh state:
    /// rates by role and row length, spectral clipping and constraints hold as for a language model.
    /// </summary>
    /// <param name="parameters">What to optimize.</param>
    /// <param name="settings">Rule and constants, for example <see cref="OptimizerSettings.For"/>.</param>
    public Optimizer(IEnumerable<TrainedParameter> parameters, OptimizerSettings settings)
        : this(parameters, settings, store: null, sharded: null, group: null)
    {
    }

    private Optimizer(
        IEnumerable<TrainedParameter> parameters, OptimizerSettings settings, ParameterStore? store,
        LanguageModel? sharded, ProcessGroup? group)
    {
        Settings = settings;
        _gradients = store is null ? null : Own(store.Gradients());
        var offsets = store?.Parameters.ToDictionary(item => item.Parameter.Handle, item => item.Offset);
        using var values = store?.Values();
        var all = parameters.Select(item => (Item: item, Rule: RuleFor(item.Role))).ToList();
        Shards = sharded is null ? null : new OptimizerShards(sharded, all, group!);
        for (var index = 0; index < all.Count; index++)
        {
            var (item, rule) = all[index];
            if (Shards is not null)
            {
                if (Shards.Local(index) is not { } part)
                    continue;
                item = part;
            }

            var (name, parameter, role, constraint, dimension) = item;
            var factors = settings.Factors;
            if (!settings.Rule.For(role).MovesEveryNumberByTheRate)
                factors = factors with { WidthExponent = 0 };
            var shape = parameter.shape;
            var tensors = Create(rule, parameter, state => offsets is null
                ? Own(zeros_like(parameter))
                : Shards is null
                    ? Part(state, values!, offsets[parameter.Handle], shape)
                    : Own(ParameterStore.Zeros(parameter.numel(), parameter.dtype, parameter.device).view(shape)));
            Add(new ParameterState(
                name, parameter, rule, tensors, constraint, dimension, factors.Of(role, shape[^1])));
        }
    }

    /// <summary>Creates the optimizer of any parameters, unconstrained, with fresh state.</summary>
    /// <param name="parameters">What to optimize, with the names its state is saved under.</param>
    /// <param name="settings">
    /// Rule and constants; which parameters are matrices of blocks is not known here, so that rates per role, spectral
    /// clipping and Muon do not apply.
    /// </param>
    public Optimizer(IEnumerable<(string Name, Parameter Parameter)> parameters, OptimizerSettings settings)
    {
        Settings = settings;
        var rule = settings.Rule.For(ParameterRole.Scale);
        foreach (var (name, parameter) in parameters)
            Add(new ParameterState(name, parameter, rule, Create(rule, parameter, _ => Own(zeros_like(parameter)))));
    }

    /// <summary>Rule and constants.</summary>
    public OptimizerSettings Settings { get; }

    /// <summary>How processes share state and work; null for an optimizer of all parameters.</summary>
    internal OptimizerShards? Shards { get; }

    /// <summary>Whether processes share it, each with some rows of the state.</summary>
    public bool IsSharded => Shards is not null;

    /// <summary>Number of steps taken; bias corrections follow it.</summary>
    public long Step { get; private set; }

    /// <summary>
    /// What the rules keep, by name: <c>exp_avg.NAME</c> and, for parameters updated by Adam, <c>exp_avg_sq.NAME</c>,
    /// shaped as the parameter NAME; with <see cref="OptimizerSettings.SpectralClip"/> also
    /// <c>singular_vector.NAME</c>, [in]. Of an optimizer that is shared by processes, this one's rows.
    /// </summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State()
        => _states.SelectMany(state => state.Rule.State.Zip(
            state.Tensors, (kept, tensor) => new KeyValuePair<string, Tensor>($"{kept.Name}.{state.Name}", tensor)));

    /// <summary>
    /// Tensors for a whole state, to be loaded and given to <see cref="ScatterState"/>: <see cref="State"/>'s own, or
    /// for an optimizer that is shared by processes new ones, which belong to the caller's dispose scope.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> WholeState() => Shards?.Whole() ?? [.. State()];

    /// <summary>
    /// The whole state, as a checkpoint has it whatever the number of processes: <see cref="State"/>, or what all
    /// processes that share an optimizer have, on rank 0 (nothing on others), in tensors of the caller's dispose scope.
    /// All ranks call it.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> GatherState() => Shards?.Gather(State()) ?? [.. State()];

    /// <summary>Gives each of the processes that share an optimizer its part of a state. All ranks call it.</summary>
    /// <param name="whole">Loaded tensors of <see cref="WholeState"/>; read on rank 0 only.</param>
    public void ScatterState(IReadOnlyList<KeyValuePair<string, Tensor>> whole) => Shards?.Scatter(whole, State());

    /// <summary>
    /// Continues from loaded state (written into <see cref="State"/>'s tensors) after a number of steps.
    /// </summary>
    /// <param name="step">Steps that had been taken.</param>
    public void Resume(long step) => Step = step;

    /// <summary>
    /// One step from the parameters' gradients, which are zero afterwards:
    /// <see cref="OptimizerSettings.GradientClipping"/>, state, decay, update, and a model's constraint. Parameters
    /// without a gradient are left alone.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    public void Update(double learningRate)
        => Update(learningRate, Settings.GradientClipping > 0 ? Settings.ClippingFactor(GradientNorm()) : 1);

    /// <summary>
    /// The same with gradients scaled by the caller, who knows their norm already, in place of the settings' clipping.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="gradientFactor">
    /// What gradients are multiplied by first: <see cref="OptimizerSettings.ClippingFactor"/>.
    /// </param>
    public void Update(double learningRate, double gradientFactor)
    {
        using var timer = PhaseClock.Measure(Phase.Optimizer);
        using var noGrad = no_grad();
        Step++;
        var step = new OptimizerStep(Step, learningRate, Settings.WeightDecay, gradientFactor);
        foreach (var (rule, states) in _groups)
            rule.Update(states, step);
        Shards?.Exchange();
    }

    /// <summary>√Σ‖g‖² over all gradients, in double precision on the host.</summary>
    public double GradientNorm()
    {
        using var timer = PhaseClock.Measure(Phase.Optimizer);
        using var noGrad = no_grad();
        return Optimization.GradientNorm.Of(_states, _gradients, Shards is null ? null : Shards.Merge);
    }

    /// <summary>Empties the gradients, which a step does by itself.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        Shards?.ZeroGradients();
        foreach (var state in _states)
            state.Parameter.grad?.zero_();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Shards?.Dispose();
        foreach (var tensor in _owned)
            tensor.Dispose();
    }

    private UpdateRule RuleFor(ParameterRole role)
    {
        var rule = Settings.Rule.For(role);
        return Settings.SpectralClip > 0 && role != ParameterRole.Scale ? rule.Clipped(Settings.SpectralClip) : rule;
    }

    private void Add(ParameterState state)
    {
        _states.Add(state);
        var index = _groups.FindIndex(group => group.Rule == state.Rule);
        if (index < 0)
            _groups.Add((state.Rule, [state]));
        else
            _groups[index].States.Add(state);
    }

    private Tensor[] Create(UpdateRule rule, Parameter parameter, Func<string, Tensor> zeros)
        => rule.State.Select(state => state.Initial is { } initial ? Own(initial(parameter)) : zeros(state.Name))
            .ToArray();

    private Tensor Own(Tensor tensor)
    {
        _owned.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>A parameter's part of the buffer of a kind of state, which lies as the parameters do.</summary>
    private Tensor Part(string state, Tensor values, long offset, long[] shape)
    {
        if (!_flat.TryGetValue(state, out var flat))
            _flat.Add(state, flat = Own(ParameterStore.Zeros(values.numel(), values.dtype, values.device)));
        using var part = flat.narrow(0, offset, shape.Aggregate(1L, (product, size) => product * size));
        return Own(part.view(shape));
    }
}
