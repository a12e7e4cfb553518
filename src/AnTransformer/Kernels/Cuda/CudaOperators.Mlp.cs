using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>The gated activation and the loss.</content>
internal static partial class CudaOperators
{
    /// <summary>m = factor · u ⊙ SiLU(slope · g).</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="gateUp">[g | u], T [..., 2f].</param>
    /// <param name="factor">For anGPT ν_act, or 1 where it is in the next matrix.</param>
    /// <param name="slope">For anGPT √d, or 1 where it is in the gate's matrix.</param>
    /// <returns>T [..., f].</returns>
    public static Tensor GatedForward(CudaKernels kernels, Tensor gateUp, double factor, double slope)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(gateUp);
        var dtype = Activation(kernels, gateUp, nameof(gateUp));
        var (rows, columns) = GatedShape(gateUp);
        var m = kernels.Launcher.Empty([.. gateUp.shape[..^1], columns], dtype);
        kernels.GatedForward(dtype, new()
        {
            GateUp = At(gateUp),
            Out = At(m),
            Rows = rows,
            Columns = columns,
            Factor = (float)factor,
            Slope = (float)slope,
        });
        return m;
    }

    /// <summary>The gradient of <see cref="GatedForward"/>.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="gradient">Of m, T [..., f].</param>
    /// <param name="gateUp">As in the forward pass.</param>
    /// <param name="factor">As in the forward pass.</param>
    /// <param name="slope">As in the forward pass.</param>
    /// <returns>T [..., 2f].</returns>
    public static Tensor GatedBackward(CudaKernels kernels, Tensor gradient, Tensor gateUp, double factor, double slope)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(gateUp);
        var dtype = Activation(kernels, gateUp, nameof(gateUp));
        var (rows, columns) = GatedShape(gateUp);
        Require(kernels, gradient, nameof(gradient), dtype, [.. gateUp.shape[..^1], columns]);
        var d = kernels.Launcher.Empty(gateUp.shape, dtype);
        kernels.GatedBackward(dtype, new()
        {
            Gradient = At(gradient),
            GateUp = At(gateUp),
            DGateUp = At(d),
            Rows = rows,
            Columns = columns,
            Factor = (float)factor,
            Slope = (float)slope,
        });
        return d;
    }

    /// <summary>
    /// Cross-entropy of rows of logits and, in their place, its gradient (softmax − onehot) · scale, so that the logits
    /// of a chunk of tokens exist once.
    /// </summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="logits">T [n, V]; overwritten where <paramref name="withGradient"/> is set.</param>
    /// <param name="targets">
    /// int64 [n]; −100 gives no loss and no gradient, any other id outside [0, V) a loss of NaN.
    /// </param>
    /// <param name="scale">What the gradient is multiplied by, for a mean 1 / tokens.</param>
    /// <param name="withGradient">Whether the gradient is wanted.</param>
    /// <returns>Losses in nats, fp32 [n].</returns>
    public static Tensor CrossEntropy(
        CudaKernels kernels, Tensor logits, Tensor targets, double scale, bool withGradient = true)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(logits);
        var dtype = Activation(kernels, logits, nameof(logits));
        var (rows, columns) = Matrix(logits);
        if (logits.dim() != 2)
            throw new ArgumentException("The logits are not [n, V].", nameof(logits));
        Require(kernels, targets, nameof(targets), ScalarType.Int64, [rows]);
        var loss = Single(kernels, rows);
        kernels.CrossEntropy(dtype, new()
        {
            Logits = At(logits),
            Targets = At(targets),
            Loss = At(loss),
            Rows = rows,
            Columns = columns,
            Gradient = withGradient ? 1 : 0,
            Scale = (float)scale,
        });
        return loss;
    }

    private static (long Rows, int Columns) GatedShape(Tensor gateUp)
    {
        var (rows, columns) = Matrix(gateUp);
        return columns % 2 == 0
            ? (rows, columns / 2)
            : throw new ArgumentException("The last dimension is not gate and up, of one width.", nameof(gateUp));
    }
}
