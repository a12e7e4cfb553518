namespace AnTransformer.Kernels.Cpu;

/// <content>Softmax of attention scores and of logits.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void CausalSoftmax(
        float* scores, long stride, float* logSumExp, int rows, int n, int start, int window)
    {
        for (var row = 0; row < rows; row++, scores += stride)
        {
            var (from, visible) = Visible(row, n, start, window);
            var seen = scores + from;
            var largest = Largest(seen, visible);
            var i = 0;
            var sum = ExpAndSum<V>(seen, largest, ref i, visible)
                + ExpAndSum<SimdScalar>(seen, largest, ref i, visible);
            logSumExp[row] = largest + MathF.Log(sum);
            i = 0;
            Times<V>(seen, 1 / sum, seen, ref i, visible);
            Times<SimdScalar>(seen, 1 / sum, seen, ref i, visible);
            ClearHidden(scores, n, from, visible);
        }
    }

    public override void CausalSoftmaxBackward(
        float* scores, float* dp, long stride, float* logSumExp, int rows, int n, int start, int window)
    {
        for (var row = 0; row < rows; row++, scores += stride, dp += stride)
        {
            var (from, visible) = Visible(row, n, start, window);
            var p = scores + from;
            var g = dp + from;
            var i = 0;
            var dot = Probabilities<V>(p, logSumExp[row], g, ref i, visible)
                + Probabilities<SimdScalar>(p, logSumExp[row], g, ref i, visible);
            i = 0;
            Combine<V>(p, dot, g, ref i, visible);
            Combine<SimdScalar>(p, dot, g, ref i, visible);
            ClearHidden(scores, n, from, visible);
            ClearHidden(dp, n, from, visible);
        }

        static float Probabilities<W>(float* scores, float logSumExp, float* dp, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (sum, l) = (W.Broadcast(0), W.Broadcast(logSumExp));
            for (; i + W.Width <= n; i += W.Width)
            {
                var p = SimdMath.Exp(W.Load(scores + i) - l);
                p.Store(scores + i);
                sum = W.MultiplyAdd(p, W.Load(dp + i), sum);
            }

            return sum.Sum();
        }

        static void Combine<W>(float* p, float dot, float* dp, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var d = W.Broadcast(dot);
            for (; i + W.Width <= n; i += W.Width)
                (W.Load(p + i) * (W.Load(dp + i) - d)).Store(dp + i);
        }
    }

    public override void CrossEntropy(
        float* logits, long* targets, float* losses, long rows, int n, float gradientFactor)
    {
        for (long row = 0; row < rows; row++, logits += n)
        {
            var (target, largest) = ((int)targets[row], Largest(logits, n));
            var atTarget = logits[target];
            var i = 0;
            if (gradientFactor == 0)
            {
                var total = SumExp<V>(logits, largest, ref i, n) + SumExp<SimdScalar>(logits, largest, ref i, n);
                losses[row] = largest + MathF.Log(total) - atTarget;
                continue;
            }

            var sum = ExpAndSum<V>(logits, largest, ref i, n) + ExpAndSum<SimdScalar>(logits, largest, ref i, n);
            losses[row] = largest + MathF.Log(sum) - atTarget;
            i = 0;
            Times<V>(logits, gradientFactor / sum, logits, ref i, n);
            Times<SimdScalar>(logits, gradientFactor / sum, logits, ref i, n);
            logits[target] -= gradientFactor;
        }
    }

    /// <summary>The first key that a query sees, and how many.</summary>
    private static (int From, int Count) Visible(int row, int n, int start, int window)
    {
        var from = Math.Max(0, start + row + 1 - window);
        return (from, Math.Min(n, start + row + 1) - from);
    }

    private static void ClearHidden(float* scores, int n, int from, int visible)
    {
        new Span<float>(scores, from).Clear();
        new Span<float>(scores + from + visible, n - from - visible).Clear();
    }

    private static float Largest(float* x, int n)
    {
        var i = 0;
        var largest = Run<V>(x, float.NegativeInfinity, ref i, n);
        return Run<SimdScalar>(x, largest, ref i, n);

        static float Run<W>(float* x, float atLeast, ref int i, int n)
            where W : struct, ISimd<W>
        {
            if (i + W.Width > n)
                return atLeast;
            var largest = W.Broadcast(atLeast);
            for (; i + W.Width <= n; i += W.Width)
                largest = W.Max(W.Load(x + i), largest);
            return largest.Largest();
        }
    }

    private static float ExpAndSum<W>(float* x, float largest, ref int i, int n)
        where W : struct, ISimd<W>
    {
        var (sum, m) = (W.Broadcast(0), W.Broadcast(largest));
        for (; i + W.Width <= n; i += W.Width)
        {
            var e = SimdMath.Exp(W.Load(x + i) - m);
            e.Store(x + i);
            sum += e;
        }

        return sum.Sum();
    }

    private static float SumExp<W>(float* x, float largest, ref int i, int n)
        where W : struct, ISimd<W>
    {
        var (sum, m) = (W.Broadcast(0), W.Broadcast(largest));
        for (; i + W.Width <= n; i += W.Width)
            sum += SimdMath.Exp(W.Load(x + i) - m);
        return sum.Sum();
    }
}
