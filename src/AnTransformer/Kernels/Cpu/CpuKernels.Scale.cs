namespace AnTransformer.Kernels.Cpu;

/// <content>Multiplication by a vector, along channels or rows, with its gradients; sums.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    private const int SumRun = 4096;

    public override void ScaleChannels(float* x, float* s, float* y, long rows, int n)
    {
        for (long row = 0; row < rows; row++, x += n, y += n)
        {
            var i = 0;
            Multiply<V>(x, s, y, ref i, n);
            Multiply<SimdScalar>(x, s, y, ref i, n);
        }
    }

    public override void ScaleChannelsBackward(float* g, float* x, float* s, float* dx, float* ds, long rows, int n)
    {
        for (long row = 0; row < rows; row++, g += n, x += n, dx += n)
        {
            var i = 0;
            Run<V>(g, x, s, dx, ds, ref i, n);
            Run<SimdScalar>(g, x, s, dx, ds, ref i, n);
        }

        static void Run<W>(float* g, float* x, float* s, float* dx, float* ds, ref int i, int n)
            where W : struct, ISimd<W>
        {
            for (; i + W.Width <= n; i += W.Width)
            {
                var gradient = W.Load(g + i);
                (gradient * W.Load(s + i)).Store(dx + i);
                W.MultiplyAdd(gradient, W.Load(x + i), W.Load(ds + i)).Store(ds + i);
            }
        }
    }

    public override void ScaleRows(float* x, float* s, float* y, long rows, int n)
    {
        for (long row = 0; row < rows; row++, x += n, y += n)
        {
            var i = 0;
            Times<V>(x, s[row], y, ref i, n);
            Times<SimdScalar>(x, s[row], y, ref i, n);
        }
    }

    public override void ScaleRowsBackward(float* g, float* x, float* s, float* dx, float* ds, long rows, int n)
    {
        for (long row = 0; row < rows; row++, g += n, x += n, dx += n)
        {
            var i = 0;
            ds[row] = Run<V>(g, x, s[row], dx, ref i, n) + Run<SimdScalar>(g, x, s[row], dx, ref i, n);
        }

        static float Run<W>(float* g, float* x, float s, float* dx, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (sum, factor) = (W.Broadcast(0), W.Broadcast(s));
            for (; i + W.Width <= n; i += W.Width)
            {
                var gradient = W.Load(g + i);
                sum = W.MultiplyAdd(gradient, W.Load(x + i), sum);
                W.MultiplyAdd(gradient, factor, W.Load(dx + i)).Store(dx + i);
            }

            return sum.Sum();
        }
    }

    public override void Multiply(float* x, float a, long n)
    {
        for (long start = 0; start < n; start += SumRun)
        {
            var (i, count) = (0, (int)Math.Min(SumRun, n - start));
            Times<V>(x + start, a, x + start, ref i, count);
            Times<SimdScalar>(x + start, a, x + start, ref i, count);
        }
    }

    public override void AddScaled(float* y, float* x, float a, long n)
    {
        for (long start = 0; start < n; start += SumRun)
        {
            var (i, count) = (0, (int)Math.Min(SumRun, n - start));
            Run<V>(y + start, x + start, a, ref i, count);
            Run<SimdScalar>(y + start, x + start, a, ref i, count);
        }

        static void Run<W>(float* y, float* x, float a, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var factor = W.Broadcast(a);
            for (; i + W.Width <= n; i += W.Width)
                W.MultiplyAdd(factor, W.Load(x + i), W.Load(y + i)).Store(y + i);
        }
    }

    public override double SumOfSquares(float* x, long n)
    {
        var sum = 0.0;
        for (long start = 0; start < n; start += SumRun)
            sum += Dot(x + start, x + start, (int)Math.Min(SumRun, n - start));
        return sum;
    }

    /// <summary>y = x ⊙ s.</summary>
    private static void Multiply<W>(float* x, float* s, float* y, ref int i, int n)
        where W : struct, ISimd<W>
    {
        for (; i + W.Width <= n; i += W.Width)
            (W.Load(x + i) * W.Load(s + i)).Store(y + i);
    }

    /// <summary>y = a·x.</summary>
    private static void Times<W>(float* x, float a, float* y, ref int i, int n)
        where W : struct, ISimd<W>
    {
        var factor = W.Broadcast(a);
        for (; i + W.Width <= n; i += W.Width)
            (W.Load(x + i) * factor).Store(y + i);
    }

    public override float InnerProduct(float* a, float* b, int n) => Dot(a, b, n);

    /// <summary>Σ a ⊙ b.</summary>
    private static float Dot(float* a, float* b, int n)
    {
        var i = 0;
        return Run<V>(a, b, ref i, n) + Run<SimdScalar>(a, b, ref i, n);

        static float Run<W>(float* a, float* b, ref int i, int n)
            where W : struct, ISimd<W>
        {
            // Two sums, so that an addition need not wait for the one before.
            var (even, odd) = (W.Broadcast(0), W.Broadcast(0));
            for (; i + (2 * W.Width) <= n; i += 2 * W.Width)
            {
                even = W.MultiplyAdd(W.Load(a + i), W.Load(b + i), even);
                odd = W.MultiplyAdd(W.Load(a + i + W.Width), W.Load(b + i + W.Width), odd);
            }

            for (; i + W.Width <= n; i += W.Width)
                even = W.MultiplyAdd(W.Load(a + i), W.Load(b + i), even);
            return (even + odd).Sum();
        }
    }
}
