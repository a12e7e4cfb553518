using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>The norm of an activation beside the predicted one.</summary>
/// <param name="Layer">The block, from 0; null outside the blocks.</param>
/// <param name="Activation">Which.</param>
/// <param name="Predicted">What <see cref="PredictedNorms"/> says; null for nothing.</param>
/// <param name="Norm">‖x‖ over tokens, and over heads where the norm is a head's.</param>
public sealed record ActivationNorm(int? Layer, Activation Activation, Prediction? Predicted, Distribution Norm);

/// <summary>
/// What an inspection finds: norms of activations against the predicted ones, how rows lie to the mean of their inputs,
/// norms of parameters, learned scales (the paper's concentration figures, arXiv 2505.22014, and what breaks them).
/// </summary>
/// <param name="Config">The model's configuration.</param>
/// <param name="Tokens">Tokens measured on.</param>
/// <param name="Loss">Mean cross-entropy on them in nats per token.</param>
/// <param name="Activations">Norms of activations, in the order of computation.</param>
/// <param name="Alignments">Matrices and the means of their inputs, in the order of computation.</param>
/// <param name="Updates">How residual updates lie to the stream, in the order of computation.</param>
/// <param name="Matrices">Matrices in the order of computation.</param>
/// <param name="Scales">Learned scales and gains, in the order of checkpoints.</param>
public sealed record ModelInspection(
    ModelConfig Config,
    long Tokens,
    double Loss,
    IReadOnlyList<ActivationNorm> Activations,
    IReadOnlyList<MatrixAlignment> Alignments,
    IReadOnlyList<ResidualUpdate> Updates,
    IReadOnlyList<MatrixStatistics> Matrices,
    IReadOnlyList<ScaleStatistics> Scales)
{
    /// <summary>Measures a model. Its parameters, their gradients and the random generator stay as they are.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batches">
    /// Inputs and the token after each, int64, [B, T] each; at least one batch. Tensors made during the enumeration are
    /// disposed.
    /// </param>
    /// <param name="withSpectrum">
    /// Whether to compute spectral norms, which takes up to 200 products with a vector per matrix.
    /// </param>
    /// <param name="cancellation">Ends the measurement between batches.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static ModelInspection Measure(
        LanguageModel model,
        IEnumerable<(Tensor Tokens, Tensor Targets)> batches,
        bool withSpectrum = true,
        CancellationToken cancellation = default)
    {
        using var noGrad = no_grad();
        using var recorder = new ActivationRecorder(model);
        var (nats, tokens) = (0.0, 0L);
        using var enumerator = batches.GetEnumerator();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            if (!enumerator.MoveNext())
                break;
            var (inputs, targets) = enumerator.Current;
            nats += model.Loss(inputs, targets, recorder).to(ScalarType.Float64).item<double>() * inputs.numel();
            tokens += inputs.numel();
        }

        return new ModelInspection(
            model.Config,
            tokens,
            nats / tokens,
            [.. recorder.Norms(PredictedNorms.For(model.Config))],
            [.. recorder.Alignments()],
            [.. recorder.Updates()],
            [.. ModelMatrix.Of(model).Select(matrix => MatrixStatistics.Of(matrix, withSpectrum))],
            [.. ScaleStatistics.Of(model)]);
    }

    /// <summary>The norm of one activation.</summary>
    /// <param name="layer">The block, from 0; null outside the blocks.</param>
    /// <param name="activation">Which.</param>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public ActivationNorm Norm(int? layer, Activation activation)
        => Activations.First(item => item.Layer == layer && item.Activation == activation);
}
