using System.Runtime.Intrinsics;
using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// The fused operators' inner loops over rows of contiguous fp32 memory, single-threaded; callers share rows among
/// threads. Backward kernels write gradients of activations and add to gradients that are summed over rows.
/// </summary>
internal abstract unsafe class CpuKernels
{
    /// <summary>The kernels for this processor's widest vectors.</summary>
    public static CpuKernels Instance { get; } =
        Vector512.IsHardwareAccelerated ? new CpuKernels<Simd512>()
        : Vector256.IsHardwareAccelerated ? new CpuKernels<Simd256>()
        : new CpuKernels<Simd128>();

    /// <summary>Width of the vectors.</summary>
    public abstract int VectorBits { get; }

    /// <summary>y = s ⊙ x, s per channel, [rows, n].</summary>
    public abstract void ScaleChannels(float* x, float* s, float* y, long rows, int n);

    /// <summary>dx = s ⊙ g; ds += Σ_rows g ⊙ x.</summary>
    public abstract void ScaleChannelsBackward(float* g, float* x, float* s, float* dx, float* ds, long rows, int n);

    /// <summary>y_r = s_r · x_r, s per row, [rows, n].</summary>
    public abstract void ScaleRows(float* x, float* s, float* y, long rows, int n);

    /// <summary>dx_r += s_r · g_r; ds_r = g_r · x_r.</summary>
    public abstract void ScaleRowsBackward(float* g, float* x, float* s, float* dx, float* ds, long rows, int n);

    /// <summary>x ← a·x.</summary>
    public abstract void Multiply(float* x, float a, long n);

    /// <summary>y += a·x.</summary>
    public abstract void AddScaled(float* y, float* x, float a, long n);

    /// <summary>Σ x², summed in fp64 over runs of fp32 sums.</summary>
    public abstract double SumOfSquares(float* x, long n);

    /// <summary>y = gain ⊙ x / √(mean(x²) + ε), [rows, n].</summary>
    public abstract void RmsNorm(float* x, float* gain, float* y, long rows, int n, float epsilon);

    /// <summary>Gradients of <see cref="RmsNorm"/>: dx is written, dgain added to, and dy replaced by y.</summary>
    public abstract void RmsNormBackward(
        float* dy, float* x, float* gain, float* dx, float* dgain, long rows, int n, float epsilon);

    /// <summary>y = gain ⊙ f(a·x + s) + bias, [rows, n].</summary>
    public abstract void Squash(
        Squashing f, float* x, float a, float s, float* gain, float* bias, float* y, long rows, int n);

    /// <summary>
    /// Gradients of <see cref="Squash"/>: dx is written, the others are added to; da and ds are single numbers.
    /// </summary>
    public abstract void SquashBackward(
        Squashing f, float* dy, float* x, float a, float s, float* gain, float* dx, float* dgain, float* dbias,
        float* da, float* ds, long rows, int n);

    /// <summary>m = u ⊙ SiLU(k·g), where a row of gu holds g and then u, [rows, f] from [rows, 2f].</summary>
    public abstract void SwiGlu(float* gu, float* m, long rows, int f, float k);

    /// <summary>Gradients of <see cref="SwiGlu"/>, written over gu; dm is replaced by m.</summary>
    public abstract void SwiGluBackward(float* dm, float* gu, long rows, int f, float k);

    /// <summary>
    /// One head's queries or keys: normalized, turned by their positions and multiplied by a factor.
    /// </summary>
    /// <param name="x">First row; rows are <paramref name="stride"/> floats apart.</param>
    /// <param name="stride">Distance of rows.</param>
    /// <param name="norm">How they are normalized.</param>
    /// <param name="scale">Gain before the rotation (Rms) or scale after it, [dh]; or null.</param>
    /// <param name="cos">[rows, dh/2].</param>
    /// <param name="sin">[rows, dh/2].</param>
    /// <param name="y">[rows, dh].</param>
    /// <param name="rows">T.</param>
    /// <param name="dh">Head size, even.</param>
    /// <param name="factor">What the result is multiplied by.</param>
    /// <param name="epsilon">ε of RMSNorm.</param>
    public abstract void Rotate(
        float* x, long stride, QueryKeyNorm norm, float* scale, float* cos, float* sin, float* y, int rows, int dh,
        float factor,
        float epsilon);

    /// <summary>
    /// Gradients of <see cref="Rotate"/>: dx is written (rows stride apart), dscale added to; dy is overwritten.
    /// </summary>
    public abstract void RotateBackward(
        float* dy, float* x, long stride, QueryKeyNorm norm, float* scale, float* cos, float* sin, float* dx,
        long dxStride,
        float* dscale, int rows, int dh, float factor, float epsilon);

    /// <summary>
    /// Softmax of the first <c>start + r + 1</c> scores of each row r (a causal mask), and of these the last
    /// <paramref name="window"/>; the rest of the row becomes 0.
    /// </summary>
    /// <param name="scores">[rows, n], replaced by probabilities.</param>
    /// <param name="stride">Distance of rows.</param>
    /// <param name="logSumExp">[rows], receives log Σ exp.</param>
    /// <param name="rows">Number of queries.</param>
    /// <param name="n">Number of keys.</param>
    /// <param name="start">Position of the first query; n where every query sees all keys.</param>
    /// <param name="window">Keys that a query sees at most.</param>
    public abstract void CausalSoftmax(
        float* scores, long stride, float* logSumExp, int rows, int n, int start, int window);

    /// <summary>
    /// From scores and their log Σ exp the probabilities p (written over scores), and from dp, in place, the scores'
    /// gradient p ⊙ (dp − Σ p dp).
    /// </summary>
    public abstract void CausalSoftmaxBackward(
        float* scores, float* dp, long stride, float* logSumExp, int rows, int n, int start, int window);

    /// <summary>
    /// Cross-entropy of each row in nats; where <paramref name="gradientFactor"/> is not 0 the logits are replaced by
    /// their gradient, (softmax − onehot)·factor.
    /// </summary>
    public abstract void CrossEntropy(
        float* logits, long* targets, float* losses, long rows, int n, float gradientFactor);

    /// <summary>nGPT's update y = L2(h + a ⊙ (L2(o) − h)), [rows, n].</summary>
    public abstract void SphereUpdate(float* h, float* o, float* a, float* y, long rows, int n);

    /// <summary>Gradients of <see cref="SphereUpdate"/>: dh and do are written, da added to.</summary>
    public abstract void SphereUpdateBackward(
        float* g, float* h, float* o, float* a, float* dh, float* dO, float* da, long rows, int n);

    /// <summary>
    /// Adam on rows of a matrix, then the row constraint, and gradients back to zero: one pass over parameters,
    /// gradients and both moments.
    /// </summary>
    public abstract void Adam(
        float* w, float* g, float* mean, float* square, long rows, int n, in AdamStep step, RowConstraint constraint);

    /// <summary>Σ a ⊙ b.</summary>
    public abstract float InnerProduct(float* a, float* b, int n);

    /// <summary>
    /// Lion on rows of a matrix, then the row constraint, and gradients back to zero: one pass over parameters,
    /// gradients and momentum.
    /// </summary>
    public abstract void Lion(
        float* w, float* g, float* momentum, long rows, int n, in LionStep step, RowConstraint constraint);

    /// <summary>Lion's momentum from gradients, which are replaced by the direction, of signs.</summary>
    public abstract void LionDirection(float* g, float* momentum, long n, in LionStep step);

    /// <summary>Adam's moments from gradients, which are replaced by the direction m / (√v · correction + ε).</summary>
    public abstract void AdamDirection(float* g, float* mean, float* square, long n, in AdamStep step);

    /// <summary>w ← keep·w − rate·u on rows of a matrix, then the row constraint; u becomes 0.</summary>
    public abstract void ApplyDirection(
        float* w, float* u, long rows, int n, float rate, float keep, RowConstraint constraint);

    /// <summary>Normalizes (or bounds) columns <c>from</c> up to <c>to</c> of a [rows, n] matrix.</summary>
    public abstract void ConstrainColumns(float* w, long rows, int n, int from, int to, RowConstraint constraint);
}

/// <summary>The kernels for one vector width.</summary>
/// <typeparam name="V">The vector.</typeparam>
internal sealed unsafe partial class CpuKernels<V> : CpuKernels
    where V : struct, ISimd<V>
{
    /// <inheritdoc/>
    public override int VectorBits => 8 * sizeof(float) * V.Width;
}
