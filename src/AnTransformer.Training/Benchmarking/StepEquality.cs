using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>How far two implementations of a training step are apart on the same weights and batch.</summary>
/// <param name="Loss">The loss of the first, in nats per token.</param>
/// <param name="ReferenceLoss">The loss of the second.</param>
/// <param name="GradientDifference">The largest max |g − g'| / max |g'| of all parameters.</param>
/// <param name="Parameter">The parameter that has it.</param>
public sealed record StepEquality(double Loss, double ReferenceLoss, double GradientDifference, string Parameter)
{
    /// <summary>|loss − reference loss|, in nats per token.</summary>
    public double LossDifference => Math.Abs(Loss - ReferenceLoss);

    /// <summary>
    /// Runs one forward and backward pass of each and compares. Both must hold the same weights and no gradients.
    /// </summary>
    /// <param name="step">The implementation in question.</param>
    /// <param name="reference">The one that it is compared with.</param>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    public static StepEquality Measure(ITrainingStep step, ITrainingStep reference, Tensor tokens, Tensor targets)
    {
        var (loss, referenceLoss) = (step.ForwardBackward(tokens, targets), reference.ForwardBackward(tokens, targets));
        var expected = reference.NamedParameters.ToDictionary(
            item => item.Name, item => item.Parameter, StringComparer.Ordinal);
        var (worst, worstName) = (0.0, "");
        foreach (var (name, parameter) in step.NamedParameters)
        {
            var difference = Difference(parameter.grad, expected[name].grad);
            if (double.IsNaN(worst) || difference <= worst)
                continue;
            (worst, worstName) = (difference, name);
        }

        // At rate 0 an update changes weights by rounding at most, but it empties the gradients.
        step.Update(learningRate: 0);
        reference.Update(learningRate: 0);
        return new StepEquality(loss, referenceLoss, worst, worstName);
    }

    /// <summary>Whether loss and gradients agree; numbers that are not finite never do.</summary>
    /// <param name="tolerance">Largest difference, relative to the loss and to each gradient's largest entry.</param>
    public bool IsWithin(double tolerance)
        => LossDifference <= tolerance * Math.Abs(ReferenceLoss) && GradientDifference <= tolerance;

    private static double Difference(Tensor? actual, Tensor? expected)
    {
        if (actual is null || expected is null)
            return actual is null && expected is null ? 0 : double.PositiveInfinity;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var difference = (actual - expected).abs().max().to(ScalarType.Float64).item<double>();
        var largest = expected.abs().max().to(ScalarType.Float64).item<double>();
        return difference == 0 ? 0 : difference / largest;
    }
}
