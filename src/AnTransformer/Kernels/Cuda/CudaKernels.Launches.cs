using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>
/// One method per kernel, on device pointers and sizes: each chooses blocks and threads, and those whose gradients of
/// channels are sums over rows also reserve the blocks' partial sums and add them up. The structures' fields are
/// described in Sources/*.cu; the activations' dtype is fp32 or bf16.
/// </content>
internal sealed partial class CudaKernels
{
    // A block's 48 KiB without asking for more, less what reductions use themselves.
    private const int SharedLimit = 40 << 10;
    private const int QueryKeyWarps = 8;

    private int ManyThreads => Launcher.Multiprocessors * 2048;

    // As many threads, and so partial sums, as keep the memory busy.
    private int EnoughThreads => Launcher.Multiprocessors * 1024;

    /// <summary>out[c] = Σ_r partial[r, c].</summary>
    internal void ColumnSum(ColumnSumArguments a)
        => Launcher.Launch("column_sum_f32", new((int)LaunchShape.DivideUp(a.Columns, 32), 1, 512), a);

    /// <summary>keep ⊙ h + update ⊙ x.</summary>
    internal void ResidualForward(ScalarType dtype, ResidualForwardArguments a)
    {
        var wide = IsWide(a.Columns, a.H, a.X, a.Keep, a.Update, a.Out, a.Cast);
        a.Wide = wide ? 1 : 0;
        Launcher.Launch(
            "residual_forward" + Suffix(dtype), LaunchShape.Columns(a.Rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>The gradients of h, x and, in <paramref name="factors"/> [2, columns], of keep and update.</summary>
    internal void ResidualBackward(ScalarType dtype, ResidualBackwardArguments a, nint factors)
    {
        var wide = IsWide(a.Columns, a.Gradient, a.CastGradient, a.H, a.X, a.Keep, a.Update, a.DH, a.DX);
        var shape = LaunchShape.Columns(a.Rows, a.Columns, wide, EnoughThreads);
        using var partial = Launcher.Empty([shape.Y, 2, a.Columns], ScalarType.Float32);
        (a.Partial, a.Wide) = (DevicePointer.Of(partial), wide ? 1 : 0);
        Launcher.Launch("residual_backward" + Suffix(dtype), shape, a);
        ColumnSum(new() { Partial = a.Partial, Out = factors, Rows = shape.Y, Columns = 2 * a.Columns });
    }

    /// <summary>s = h + x and gain ⊙ s / √(mean(s²) + ε).</summary>
    internal void RmsNormForward(ScalarType dtype, RmsNormForwardArguments a)
    {
        var wide = IsWide(a.Columns, a.H, a.X, a.Gain, a.Sum, a.Normalized);
        a.Wide = wide ? 1 : 0;
        Launcher.Launch("rms_norm_forward" + Suffix(dtype), LaunchShape.Rows(a.Rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>The gradients of h and x and, in <paramref name="gain"/> [columns], of the gain.</summary>
    internal void RmsNormBackward(ScalarType dtype, RmsNormBackwardArguments a, nint gain)
    {
        var wide = IsWide(a.Columns, a.Gradient, a.SumGradient, a.Sum, a.Gain, a.DSum, a.DX);
        var shape = WithSums(LaunchShape.Rows(a.Rows, a.Columns, wide, EnoughThreads), a.Columns);
        using var partial = Launcher.Empty([shape.X, a.Columns], ScalarType.Float32);
        (a.Partial, a.Wide, a.Shared) = (DevicePointer.Of(partial), wide ? 1 : 0, shape.SharedBytes > 0 ? 1 : 0);
        Launcher.Launch("rms_norm_backward" + Suffix(dtype), shape, a);
        ColumnSum(new() { Partial = a.Partial, Out = gain, Rows = shape.X, Columns = a.Columns });
    }

    /// <summary>Queries, keys and values with norm, gain and rotary positions.</summary>
    internal void QueryKeyForward(ScalarType dtype, QueryKeyForwardArguments a)
        => Launcher.Launch("query_key_forward" + Suffix(dtype), QueryKeyShape(a.Tokens, a.Heads, QueryKeyWarps), a);

    /// <summary>
    /// The gradient of the product and, unless it is 0, in <paramref name="gains"/>, that of the gains: [2, head size]
    /// for queries and keys with RMSNorm, else [heads, head size] of the one scale that both share.
    /// </summary>
    internal void QueryKeyBackward(ScalarType dtype, QueryKeyBackwardArguments a, nint gains)
    {
        if (gains == 0)
        {
            Launcher.Launch("query_key_backward" + Suffix(dtype), QueryKeyShape(a.Tokens, a.Heads, QueryKeyWarps), a);
            return;
        }

        var warps = Math.Clamp(SharedLimit / (2 * sizeof(float) * a.HeadSize), 1, QueryKeyWarps);
        var shape = QueryKeyShape(a.Tokens, a.Heads, warps) with
        {
            SharedBytes = warps * 2 * a.HeadSize * sizeof(float),
        };
        using var partial = Launcher.Empty([shape.X, 2, a.Heads, a.HeadSize], ScalarType.Float32);
        a.Partial = DevicePointer.Of(partial);
        Launcher.Launch("query_key_backward" + Suffix(dtype), shape, a);
        var (copies, columns) = a.Mode == (int)QueryKeyNorm.Rms ? (a.Heads, 2 * a.HeadSize) : (2, a.Heads * a.HeadSize);
        ColumnSum(new() { Partial = a.Partial, Out = gains, Rows = (long)shape.X * copies, Columns = columns });
    }

    /// <summary>factor · u ⊙ SiLU(slope · g).</summary>
    internal void GatedForward(ScalarType dtype, GatedForwardArguments a)
    {
        var wide = IsWide(a.Columns, a.GateUp, a.Out);
        a.Wide = wide ? 1 : 0;
        Launcher.Launch("gated_forward" + Suffix(dtype), LaunchShape.Columns(a.Rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>The gradient of [gate | up].</summary>
    internal void GatedBackward(ScalarType dtype, GatedBackwardArguments a)
    {
        var wide = IsWide(a.Columns, a.Gradient, a.GateUp, a.DGateUp);
        a.Wide = wide ? 1 : 0;
        Launcher.Launch("gated_backward" + Suffix(dtype), LaunchShape.Columns(a.Rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>Losses of rows of logits and, in their place, the gradient.</summary>
    internal void CrossEntropy(ScalarType dtype, CrossEntropyArguments a)
    {
        // Two warps at least: see the kernel.
        var block = a.Columns < 4096 ? 64 : 512;
        var blocks = (int)Math.Min(a.Rows, ManyThreads / block);
        Launcher.Launch("cross_entropy" + Suffix(dtype), new(blocks, 1, block), a);
    }

    /// <summary>L2(h + |α| ⊙ (L2(o) − h)).</summary>
    internal void NormalizedForward(ScalarType dtype, NormalizedForwardArguments a)
    {
        var wide = IsWide(a.Columns, a.H, a.O, a.Alpha, a.Out, a.Cast);
        a.Wide = wide ? 1 : 0;
        Launcher.Launch(
            "normalized_forward" + Suffix(dtype), LaunchShape.Rows(a.Rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>The gradients of h, o and, in <paramref name="alpha"/> [columns], of α.</summary>
    internal void NormalizedBackward(ScalarType dtype, NormalizedBackwardArguments a, nint alpha)
    {
        var wide = IsWide(a.Columns, a.Gradient, a.CastGradient, a.H, a.O, a.Alpha, a.DH, a.DOut);
        var shape = WithSums(LaunchShape.Rows(a.Rows, a.Columns, wide, EnoughThreads), a.Columns);
        using var partial = Launcher.Empty([shape.X, a.Columns], ScalarType.Float32);
        (a.Partial, a.Wide, a.Shared) = (DevicePointer.Of(partial), wide ? 1 : 0, shape.SharedBytes > 0 ? 1 : 0);
        Launcher.Launch("normalized_backward" + Suffix(dtype), shape, a);
        ColumnSum(new() { Partial = a.Partial, Out = alpha, Rows = shape.X, Columns = a.Columns });
    }

    /// <summary>
    /// One step of Adam and the constraint of rows of <c>Columns</c> elements; the last row may be shorter.
    /// </summary>
    internal void AdamUpdate(AdamUpdateArguments a)
    {
        var wide = a.Size % 4 == 0 && IsWide(a.Columns, a.Parameter, a.Gradient, a.Mean, a.Square);
        a.Wide = wide ? 1 : 0;
        var rows = LaunchShape.DivideUp(a.Size, a.Columns);
        Launcher.Launch("adam_update_f32", LaunchShape.Rows(rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>
    /// One step of Lion and the constraint of rows of <c>Columns</c> elements; the last row may be shorter.
    /// </summary>
    internal void LionUpdate(LionUpdateArguments a)
    {
        var wide = a.Size % 4 == 0 && IsWide(a.Columns, a.Parameter, a.Gradient, a.Momentum);
        a.Wide = wide ? 1 : 0;
        var rows = LaunchShape.DivideUp(a.Size, a.Columns);
        Launcher.Launch("lion_update_f32", LaunchShape.Rows(rows, a.Columns, wide, ManyThreads), a);
    }

    /// <summary>Σ x² of <paramref name="size"/> elements, as fp64 in <paramref name="result"/>.</summary>
    internal void SquareSum(nint x, long size, nint result)
    {
        const int Block = 256;
        var wide = size % 4 == 0 && IsWide(4, x);
        var blocks = (int)Math.Clamp(LaunchShape.DivideUp(size, Block * 4), 1, EnoughThreads / Block);
        using var partial = Launcher.Empty([blocks], ScalarType.Float64);
        var sums = new SquareSumArguments
        {
            X = x,
            Partial = DevicePointer.Of(partial),
            Size = size,
            Wide = wide ? 1 : 0,
        };
        Launcher.Launch("square_sum_f32", new(blocks, 1, Block), sums);
        var total = new PartialTotalArguments { Partial = sums.Partial, Out = result, Size = blocks };
        Launcher.Launch("partial_total_f32", new(1, 1, Block), total);
    }

    private static string Suffix(ScalarType dtype) => dtype switch
    {
        ScalarType.Float32 => "_f32",
        ScalarType.BFloat16 => "_bf16",
        _ => throw new ArgumentException($"The kernels compute in fp32 or bf16, not {dtype}.", nameof(dtype)),
    };

    /// <summary>Rows of whole vectors of four at addresses that vectors may have; 0, for no tensor, is one.</summary>
    private static bool IsWide(int columns, params ReadOnlySpan<nint> pointers)
    {
        if (columns % 4 != 0)
            return false;
        foreach (var pointer in pointers)
        {
            if (pointer % 16 != 0)
                return false;
        }

        return true;
    }

    private static LaunchShape WithSums(LaunchShape shape, int columns)
        => columns * (long)sizeof(float) <= SharedLimit ? shape with { SharedBytes = columns * sizeof(float) } : shape;

    private LaunchShape QueryKeyShape(long tokens, int heads, int warps)
    {
        var wanted = LaunchShape.DivideUp(ManyThreads / (32 * warps), heads);
        return new((int)Math.Clamp(wanted, 1, LaunchShape.DivideUp(tokens, warps)), heads, 32 * warps);
    }
}
