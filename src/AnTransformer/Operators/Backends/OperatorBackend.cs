using AnTransformer.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Backends;

/// <summary>
/// The operators that models are made of, as one kind of kernels computes them. A model's backend is chosen once, from
/// device, dtypes and <see cref="FusedKernels.Enabled"/>, so that a call of an operator is one virtual call. All give
/// the same results up to rounding.
/// </summary>
/// <remarks>
/// What only a call can tell, a backend decides in it: an input that is not contiguous or empty, a target outside the
/// vocabulary, shapes that do not fit, so few rows that kernels do not pay. Such a call falls back to
/// <see cref="EagerBackend"/>'s operators, which broadcast, or say what is wrong; <see cref="Dispatch"/> tells which
/// way each went.
/// </remarks>
internal abstract class OperatorBackend
{
    /// <summary>LibTorch's operators.</summary>
    public static OperatorBackend Eager { get; } = new EagerBackend();

    /// <summary>Kernels on the CPU for all that is in the master dtype, fp32, around products in another one.</summary>
    public static OperatorBackend MixedCpu { get; } = new MixedCpuBackend();

    /// <summary>Kernels on the CPU for everything, in fp32.</summary>
    public static OperatorBackend Cpu { get; } = new CpuBackend();

    /// <summary>The backend for models of a context.</summary>
    /// <param name="context">Device and dtypes.</param>
    public static OperatorBackend For(ModelContext context)
    {
        if (context.MasterDtype != ScalarType.Float32 || !FusedKernels.AreUsed)
            return Eager;
        if (FusedKernels.ForCuda(context.Device) is { } kernels)
            return new CudaBackend(kernels);
        return context.Device.type != DeviceType.CPU
            ? Eager
            : context.ComputeDtype == ScalarType.Float32
            ? Cpu
            : MixedCpu;
    }

    /// <summary>Rows of a table by token.</summary>
    /// <param name="tokens">Ids, int64, [...].</param>
    /// <param name="table">[V, d].</param>
    /// <returns>Shape [..., d].</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the table.</exception>
    public abstract Tensor Embedding(Tensor tokens, Parameter table);

    /// <summary>A linear map with what comes before and after it.</summary>
    /// <param name="map">The map and its input.</param>
    /// <returns>Shape [..., out]; in the stream's dtype where there is one, else in the compute dtype.</returns>
    public abstract Tensor Linear(in LinearMap map);

    /// <summary>Attention of all heads over the tokens of a pass that starts at position 0.</summary>
    /// <param name="input">Projected queries, keys and values.</param>
    /// <returns>The heads concatenated, [B, T, H·d_h], in the compute dtype.</returns>
    public abstract Tensor Attention(in AttentionInput input);

    /// <summary>
    /// What attention over a cache starts with: queries and keys normalized and turned to their positions.
    /// </summary>
    /// <param name="input">Projected queries, keys and values.</param>
    /// <returns>
    /// Queries times <see cref="AttentionInput.QueryFactor"/>, [B, H, T, d_h], keys and values, [B, K, T, d_h], in the
    /// compute dtype.
    /// </returns>
    public abstract (Tensor Query, Tensor Key, Tensor Value) Heads(in AttentionInput input);

    /// <summary>nGPT's residual update L2(h + |α| ⊙ (L2(x) − h)).</summary>
    /// <param name="h">The stream, [..., d].</param>
    /// <param name="x">A block's output, [..., d].</param>
    /// <param name="alpha">α, [d].</param>
    /// <returns>Shape [..., d], of unit norm.</returns>
    public abstract Tensor SphereUpdate(Tensor h, Tensor x, ReparameterizedScale alpha);

    /// <summary>The residual update h + gain ⊙ x / √(mean(x²) + ε).</summary>
    /// <param name="h">The stream, [..., d].</param>
    /// <param name="x">A branch's output, [..., d].</param>
    /// <param name="norm">The norm.</param>
    /// <returns>Shape [..., d].</returns>
    public abstract Tensor NormalizedSum(Tensor h, Tensor x, RmsNorm norm);

    /// <summary>γ ⊙ tanh(αx) + β or γ ⊙ erf(αx + s) + β.</summary>
    /// <param name="squash">The function and its parameters.</param>
    /// <param name="input">x, [..., n].</param>
    /// <returns>Shape [..., n].</returns>
    public abstract Tensor Squash(DynamicSquash squash, Tensor input);

    /// <summary>Head and mean cross-entropy.</summary>
    /// <param name="loss">Head, its input and the targets.</param>
    /// <returns>A scalar in nats.</returns>
    public abstract Tensor Loss(in HeadLoss loss);

    /// <summary>Head and cross-entropy of each token.</summary>
    /// <param name="loss">Head, its input and the targets.</param>
    /// <returns>Shape [B, T], in nats.</returns>
    public abstract Tensor TokenLosses(in HeadLoss loss);
}
