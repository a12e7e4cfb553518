using System.Runtime.Intrinsics;
using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// Attention of one head of one sequence, single-threaded, forward and backward. Queries and keys come normalized,
/// rotated and scaled; values and results are rows of wider tensors.
/// </summary>
internal abstract unsafe class AttentionHead
{
    internal static readonly AttentionHead ByBlas = new BlasAttentionHead();
    internal static readonly AttentionHead ByTiles =
        Vector512.IsHardwareAccelerated ? new TiledAttentionHead<Simd512>()
        : Vector256.IsHardwareAccelerated ? new TiledAttentionHead<Simd256>()
        : new TiledAttentionHead<Simd128>();

    /// <summary>The implementation that goes with this processor's matrix products.</summary>
    public static AttentionHead Instance => Gemm.Choice.IsOwn(ProductChoice.Attention) ? ByTiles : ByBlas;

    /// <summary>Whose matrix products it uses.</summary>
    public abstract DispatchPath Path { get; }

    /// <summary>Floats of scratch memory that <see cref="Forward"/> needs.</summary>
    public abstract long ForwardScratch(int length, AttentionShape shape);

    /// <summary>Floats of scratch memory that <see cref="Backward"/> needs.</summary>
    public abstract long BackwardScratch(int length, AttentionShape shape);

    /// <summary>y = softmax(q kᵀ, mask) v.</summary>
    /// <param name="q">[T, dh].</param>
    /// <param name="k">[T, dh].</param>
    /// <param name="v">T rows of dh.</param>
    /// <param name="vStride">Distance of v's rows.</param>
    /// <param name="y">Receives T rows of dh.</param>
    /// <param name="yStride">Distance of y's rows.</param>
    /// <param name="logSumExp">Receives log Σ exp of every query's scores, [T].</param>
    /// <param name="length">T.</param>
    /// <param name="shape">dh and the mask.</param>
    /// <param name="scratch">Memory, see <see cref="ForwardScratch"/>.</param>
    public abstract void Forward(
        float* q, float* k, float* v, long vStride, float* y, long yStride, float* logSumExp, int length,
        AttentionShape shape, float* scratch);

    /// <summary>Gradients of <see cref="Forward"/>.</summary>
    /// <param name="q">[T, dh].</param>
    /// <param name="k">[T, dh].</param>
    /// <param name="v">T rows of dh.</param>
    /// <param name="vStride">Distance of v's rows.</param>
    /// <param name="dy">T rows of dh.</param>
    /// <param name="dyStride">Distance of dy's rows.</param>
    /// <param name="logSumExp">From <see cref="Forward"/>.</param>
    /// <param name="dq">Receives [T, dh].</param>
    /// <param name="dk">Receives [T, dh].</param>
    /// <param name="dv">Receives T rows of dh, vStride apart.</param>
    /// <param name="add">
    /// Whether dk and dv are added to instead: of heads that share keys and values, all but the first.
    /// </param>
    /// <param name="length">T.</param>
    /// <param name="shape">dh and the mask.</param>
    /// <param name="scratch">Memory, see <see cref="BackwardScratch"/>.</param>
    public abstract void Backward(
        float* q, float* k, float* v, long vStride, float* dy, long dyStride, float* logSumExp, float* dq, float* dk,
        float* dv, bool add, int length, AttentionShape shape, float* scratch);

    /// <summary>Writes a row of a gradient, or adds it.</summary>
    protected static void CopyRow(float* from, float* to, int size, bool add)
    {
        if (add)
            CpuKernels.Instance.AddScaled(to, from, 1, size);
        else
            Buffer.MemoryCopy(from, to, size * sizeof(float), size * sizeof(float));
    }
}
