namespace AnTransformer.Kernels.Cpu;

/// <content>nGPT's residual update on the unit sphere.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void SphereUpdate(float* h, float* o, float* a, float* y, long rows, int n)
    {
        for (long row = 0; row < rows; row++, h += n, o += n, y += n)
        {
            var inverse = InverseNorm(o, QueryKeyNorm.L2, n, epsilon: 0);
            var i = 0;
            var square = Step<V>(h, o, a, inverse, y, ref i, n) + Step<SimdScalar>(h, o, a, inverse, y, ref i, n);
            var scale = 1 / MathF.Max(MathF.Sqrt(square), SmallestNorm);
            i = 0;
            Times<V>(y, scale, y, ref i, n);
            Times<SimdScalar>(y, scale, y, ref i, n);
        }
    }

    // With ô = o/‖o‖, u = h + a ⊙ (ô − h), y = u/‖u‖: du = (g − y (y·g))/‖u‖, dh = (1 − a) ⊙ du, da = Σ du ⊙ (ô − h),
    // do = (a ⊙ du − ô (ô · (a ⊙ du)))/‖o‖.
    public override void SphereUpdateBackward(
        float* g, float* h, float* o, float* a, float* dh, float* dO, float* da, long rows, int n)
    {
        for (long row = 0; row < rows; row++, g += n, h += n, o += n, dh += n, dO += n)
        {
            var inverse = InverseNorm(o, QueryKeyNorm.L2, n, epsilon: 0);
            var i = 0;
            var square = Step<V>(h, o, a, inverse, dh, ref i, n) + Step<SimdScalar>(h, o, a, inverse, dh, ref i, n);
            var scale = 1 / MathF.Max(MathF.Sqrt(square), SmallestNorm);
            var along = Dot(dh, g, n) * scale * scale;
            i = 0;
            var across = Split<V>(g, h, o, a, dh, dO, da, inverse, scale, along, ref i, n)
                + Split<SimdScalar>(g, h, o, a, dh, dO, da, inverse, scale, along, ref i, n);
            i = 0;
            Project<V>(dO, o, inverse, across * inverse * inverse, ref i, n);
            Project<SimdScalar>(dO, o, inverse, across * inverse * inverse, ref i, n);
        }

        static float Split<W>(
            float* g, float* h, float* o, float* a, float* dh, float* dO, float* da, float inverse, float scale,
            float along,
            ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (sum, s, f, l) = (W.Broadcast(0), W.Broadcast(scale), W.Broadcast(inverse), W.Broadcast(along));
            for (; i + W.Width <= n; i += W.Width)
            {
                var du = (W.Load(g + i) - (W.Load(dh + i) * l)) * s;
                var (alpha, output) = (W.Load(a + i), W.Load(o + i));
                W.MultiplyAdd(du, (output * f) - W.Load(h + i), W.Load(da + i)).Store(da + i);
                var share = alpha * du;
                (du - share).Store(dh + i);
                share.Store(dO + i);
                sum = W.MultiplyAdd(share, output, sum);
            }

            return sum.Sum();
        }

        static void Project<W>(float* dO, float* o, float inverse, float across, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (f, a) = (W.Broadcast(inverse), W.Broadcast(across));
            for (; i + W.Width <= n; i += W.Width)
                ((W.Load(dO + i) - (W.Load(o + i) * a)) * f).Store(dO + i);
        }
    }

    /// <summary>u = h + a ⊙ (ô − h); returns ‖u‖².</summary>
    private static float Step<W>(float* h, float* o, float* a, float inverse, float* u, ref int i, int n)
        where W : struct, ISimd<W>
    {
        var (sum, f) = (W.Broadcast(0), W.Broadcast(inverse));
        for (; i + W.Width <= n; i += W.Width)
        {
            var stream = W.Load(h + i);
            var moved = W.MultiplyAdd(W.Load(a + i), (W.Load(o + i) * f) - stream, stream);
            moved.Store(u + i);
            sum = W.MultiplyAdd(moved, moved, sum);
        }

        return sum.Sum();
    }
}
