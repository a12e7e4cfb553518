using AnTransformer.Architectures;
using AnTransformer.Distributed;
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
    private readonly GradientSharing _sharing;
    private readonly List<double> _losses = [];

    /// <summary>Prepares steps.</summary>
    /// <param name="model">What to train; not owned.</param>
    /// <param name="optimizer">Its optimizer; not owned.</param>
    /// <param name="gradientAccumulation">
    /// Micro-batches of equally many targets whose mean gradient makes a step.
    /// </param>
    /// <param name="divergence">
    /// Recognizes a run that is lost; null for one that watches for numbers that are not finite.
    /// </param>
    /// <param name="sharing">
    /// Shares the step with other processes, of whose micro-batches these are some; null for a process alone. Not
    /// owned.
    /// </param>
    public TrainingStep(
        LanguageModel model, Optimizer optimizer, int gradientAccumulation = 1, DivergenceMonitor? divergence = null,
        GradientSharing? sharing = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gradientAccumulation, 1);
        (_model, _optimizer, _gradientAccumulation) = (model, optimizer, gradientAccumulation);
        _sharing = sharing ?? new GradientSharing(model, ProcessGroup.Single);
        _sharing.Shards = optimizer.Shards;
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
        => ForwardBackward(tokens, targets, _gradientAccumulation);

    /// <summary>The first half for a micro-batch that is not as large as the others.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <param name="parts">The step's sequences, of all processes, over the micro-batch's.</param>
    /// <returns>The micro-batch's share of the step's loss, in nats per token.</returns>
    public double ForwardBackward(Tensor tokens, Tensor targets, double parts)
    {
        using var scope = NewDisposeScope();
        _sharing.BeginMicroBatch(isLast: _losses.Count + 1 == _gradientAccumulation);
        var loss = _model.Loss(tokens, targets);
        if (parts != 1)
            loss /= parts;
        BackwardPass.Run(loss);
        _sharing.EndMicroBatch();
        var share = (double)loss.item<float>();
        _losses.Add(share);
        return share;
    }

    /// <summary>
    /// The second half: takes the step, unless training is lost. Gradients are zero afterwards in either case.
    /// </summary>
    /// <param name="learningRate">Learning rate.</param>
    /// <exception cref="InvalidOperationException">
    /// <see cref="ForwardBackward(Tensor, Tensor)"/> was not called once for each micro-batch.
    /// </exception>
    public StepResult Update(double learningRate)
    {
        if (_losses.Count != _gradientAccumulation)
        {
            throw new InvalidOperationException(
                $"A step is made of {_gradientAccumulation} micro-batches, and {_losses.Count} have had their forward "
                    + "and backward pass.");
        }

        var loss = _sharing.Finish(_losses);
        _losses.Clear();
        var norm = _optimizer.GradientNorm();
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
