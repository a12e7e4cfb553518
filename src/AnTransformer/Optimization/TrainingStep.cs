using AnTransformer.Architectures;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// One step of training: loss and gradients of one or several micro-batches, the gradients' norm, the check that
/// training is not lost, clipping, update and constraint. The tool's runs, its benchmark and programs of one's own take
/// this same step.
/// </summary>
public sealed class TrainingStep
{
    private readonly LanguageModel _model;
    private readonly Optimizer _optimizer;
    private readonly int _gradientAccumulation;
    private readonly DivergenceMonitor _divergence;
    private double _loss;
    private int _batches;

    /// <summary>Prepares steps.</summary>
    /// <param name="model">What to train; not owned.</param>
    /// <param name="optimizer">Its optimizer; not owned.</param>
    /// <param name="gradientAccumulation">
    /// Micro-batches of equally many targets whose mean gradient makes a step.
    /// </param>
    /// <param name="divergence">
    /// Recognizes a run that is lost; null for one that watches for numbers that are not finite.
    /// </param>
    public TrainingStep(
        LanguageModel model, Optimizer optimizer, int gradientAccumulation = 1, DivergenceMonitor? divergence = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gradientAccumulation, 1);
        (_model, _optimizer, _gradientAccumulation) = (model, optimizer, gradientAccumulation);
        _divergence = divergence ?? new DivergenceMonitor(factor: 0, DivergenceMonitor.Snapshot.Initial);
    }

    /// <summary>A whole step from one batch, for steps of one micro-batch.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <param name="learningRate">Learning rate.</param>
    /// <exception cref="InvalidOperationException">Steps are made of more micro-batches.</exception>
    public StepResult Run(Tensor tokens, Tensor targets, double learningRate)
    {
        ForwardBackward(tokens, targets);
        return Update(learningRate);
    }

    /// <summary>The first half, once for each micro-batch: its share of the loss, and of the gradients.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>The micro-batch's share of the step's loss, in nats per token.</returns>
    public double ForwardBackward(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var loss = _model.Loss(tokens, targets);
        if (_gradientAccumulation > 1)
            loss /= _gradientAccumulation;
        BackwardPass.Run(loss);
        var share = (double)loss.item<float>();
        _loss += share;
        _batches++;
        return share;
    }

    /// <summary>
    /// The second half: takes the step, unless training is lost. Gradients are zero afterwards in either case.
    /// </summary>
    /// <param name="learningRate">Learning rate.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="ForwardBackward"/> was not called once for each micro-batch.
    /// </exception>
    public StepResult Update(double learningRate)
    {
        if (_batches != _gradientAccumulation)
        {
            throw new InvalidOperationException(
                $"A step is made of {_gradientAccumulation} micro-batches, and {_batches} have had their forward and "
                + "backward pass.");
        }

        var (loss, norm) = (_loss, _optimizer.GradientNorm());
        (_loss, _batches) = (0, 0);
        var reason = _divergence.Observe(loss, norm);
        if (reason is null)
            _optimizer.Update(learningRate, _optimizer.Settings.ClippingFactor(norm));
        else
            _optimizer.ZeroGradients();
        return new StepResult(loss, norm, reason);
    }
}

/// <summary>What a training step found.</summary>
/// <param name="Loss">Mean loss before the step, in nats per token.</param>
/// <param name="GradientNorm">Norm of all gradients before clipping.</param>
/// <param name="Divergence">Why training is lost, one clause, and the step was not taken; null where it was.</param>
public sealed record StepResult(double Loss, double GradientNorm, string? Divergence);
