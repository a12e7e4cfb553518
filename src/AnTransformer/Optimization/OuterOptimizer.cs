using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// The outer step of DiLoCo (Douillard et al. 2023, arXiv 2311.08105): processes train by themselves for some steps;
/// then the mean of what they have changed is taken for a gradient, along which a Nesterov step leads from where all of
/// them began, δ = θ₀ − mean θ, m ← μm + δ, θ = θ₀ − η(δ + μm). Vectors go back into the space that the architecture
/// keeps them in. Moments of the inner optimizer are averaged, so that all processes have one state afterwards, and a
/// checkpoint does not depend on how many there are.
/// </summary>
public sealed unsafe class OuterOptimizer : IDisposable
{
    /// <summary>What the names of its state begin with.</summary>
    internal const string StatePrefix = "outer_momentum.";

    private readonly LanguageModel _model;
    private readonly Optimizer _inner;
    private readonly ProcessGroup _group;
    private readonly GradientDtype _dtype;
    private readonly double _learningRate;
    private readonly double _momentum;
    private readonly Tensor _start;
    private readonly Tensor _velocity;

    /// <summary>Prepares outer steps; the first one leads from the model's weights at <see cref="Begin"/>.</summary>
    /// <param name="model">The model; not owned.</param>
    /// <param name="inner">What trains it between outer steps; not owned, and not shared by processes.</param>
    /// <param name="group">The processes; not owned.</param>
    /// <param name="learningRate">η: 0.7 in the paper; 1 with a momentum of 0 takes the mean of all weights.</param>
    /// <param name="momentum">μ: 0.9 in the paper.</param>
    /// <param name="dtype">In what changes and moments travel.</param>
    /// <exception cref="ArgumentException">The inner optimizer is shared.</exception>
    public OuterOptimizer(
        LanguageModel model, Optimizer inner, ProcessGroup group, double learningRate = 0.7, double momentum = 0.9,
        GradientDtype dtype = GradientDtype.Fp32)
    {
        if (inner.IsSharded)
        {
            throw new ArgumentException(
                "Processes that train by themselves have a whole optimizer each.", nameof(inner));
        }

        (_model, _inner, _group, _dtype) = (model, inner, group, dtype);
        (_learningRate, _momentum) = (learningRate, momentum);
        var count = model.Store.Count;
        _start = ParameterStore.Zeros(count, ScalarType.Float32, CPU);
        _velocity = ParameterStore.Zeros(count, ScalarType.Float32, CPU);
    }

    /// <summary>
    /// What is kept from one outer step to the next: <c>outer_momentum.NAME</c>, shaped as the parameter NAME; views
    /// that belong to the caller's dispose scope.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, Tensor>> State()
    {
        var offsets = _model.Store.Parameters.ToDictionary(item => item.Parameter.Handle, item => item.Offset);
        return [.. StateNames(_model).Select(item => new KeyValuePair<string, Tensor>(
            item.Name, _velocity.narrow(0, offsets[item.Of.Handle], item.Of.numel()).view(item.Of.shape)))];
    }

    /// <summary>The state's names, each with the parameter that it is kept for.</summary>
    internal static IEnumerable<(string Name, Tensor Of)> StateNames(LanguageModel model)
        => model.TrainedParameters().Select(item => (StatePrefix + item.Name, (Tensor)item.Parameter));

    /// <summary>Takes the model's weights, which are the same everywhere, for the place that all begin at.</summary>
    public void Begin()
    {
        using var noGrad = no_grad();
        using var values = _model.Store.Values();
        _start.copy_(values);
    }

    /// <summary>
    /// The outer step. All ranks call it; weights and moments have the same bits on all of them afterwards.
    /// </summary>
    public void Update()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var values = _model.Store.Values();
        var change = _start - values;
        Average(change);
        _velocity.mul_(_momentum).add_(change);
        values.copy_(_start - (_learningRate * (change + (_momentum * _velocity))));
        foreach (var item in _model.TrainedParameters())
            item.Constraint.Apply(item.Parameter, item.VectorDimension);
        foreach (var (_, tensor) in _inner.State())
            Average(tensor);
        Begin();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _start.Dispose();
        _velocity.Dispose();
    }

    private void Average(Tensor tensor)
    {
        if (_group.Size == 1)
            return;
        _group.StartSum(TensorMemory.Floats(tensor), tensor.numel(), _dtype).GetAwaiter().GetResult();
        tensor.div_(_group.Size);
    }
}
