using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Adam, with AdamW's decoupled decay on matrices (gains and scales are never decayed). State is in the parameters' dtype and
/// open, so that a checkpoint can hold all of it.
/// </summary>
public sealed class Adam : IDisposable
{
    private readonly AdamOptions _options;
    private readonly List<ParameterState> _states;

    /// <summary>Creates the optimizer with moments of zeros.</summary>
    /// <param name="parameters">What to optimize, with the names its state is saved under.</param>
    /// <param name="options">Constants.</param>
    public Adam(IEnumerable<(string Name, Parameter Parameter)> parameters, AdamOptions options)
    {
        _options = options;
        _states = parameters.Select(item => new ParameterState(
            item.Name,
            item.Parameter,
            zeros_like(item.Parameter).DetachFromDisposeScope(),
            zeros_like(item.Parameter).DetachFromDisposeScope())).ToList();
    }

    /// <summary>Number of steps taken; it sets the bias correction.</summary>
    public long Step { get; private set; }

    /// <summary>The moments by name: <c>exp_avg.NAME</c> and <c>exp_avg_sq.NAME</c>, shaped as the parameter NAME.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State()
    {
        foreach (var state in _states)
        {
            yield return new("exp_avg." + state.Name, state.Mean);
            yield return new("exp_avg_sq." + state.Name, state.Square);
        }
    }

    /// <summary>Continues from loaded moments (written into <see cref="State"/>'s tensors) after a number of steps.</summary>
    /// <param name="step">Steps that had been taken.</param>
    public void Resume(long step) => Step = step;

    /// <summary>One update from the parameters' gradients; those without one are left alone.</summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="gradientFactor">What gradients are multiplied by first, for clipping.</param>
    public void Update(double learningRate, double gradientFactor = 1)
    {
        using var noGrad = no_grad();
        Step++;
        var meanCorrection = 1 - Math.Pow(_options.Beta1, Step);
        var squareCorrection = Math.Sqrt(1 - Math.Pow(_options.Beta2, Step));
        foreach (var (_, parameter, mean, square) in _states)
        {
            using var scope = NewDisposeScope();
            if (parameter.grad is not { } gradient)
                continue;
            if (gradientFactor != 1)
                gradient.mul_(gradientFactor);
            if (_options.WeightDecay != 0 && parameter.dim() > 1)
                parameter.mul_(1 - (learningRate * _options.WeightDecay));
            mean.lerp_(gradient, 1 - _options.Beta1);
            square.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
            var denominator = square.sqrt().div_(squareCorrection).add_(_options.Epsilon);
            parameter.addcdiv_(mean, denominator, -learningRate / meanCorrection);
        }
    }

    /// <summary>√Σ‖g‖² over all gradients, in double precision on the host.</summary>
    public double GradientNorm()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var norms = _states.Select(state => state.Parameter.grad).OfType<Tensor>().Select(gradient => gradient.norm()).ToList();
        return norms.Count == 0 ? 0 : stack(norms).to(ScalarType.Float64).norm().item<double>();
    }

    /// <summary>Empties the gradients.</summary>
    public void ZeroGradients()
    {
        using var scope = NewDisposeScope();
        foreach (var state in _states)
            state.Parameter.grad?.zero_();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var state in _states)
        {
            state.Mean.Dispose();
            state.Square.Dispose();
        }
    }

    private sealed record ParameterState(string Name, Parameter Parameter, Tensor Mean, Tensor Square);
}
