namespace AnTransformer.Kernels.Cpu;

/// <content>Softmax of attention scores and of logits.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void CausalSoftmax(float* scores, long stride, float* logSumExp, int rows, int n, int start)
    {
        for (var row = 0; row < rows; row++, scores += stride)
        {
            var visible = Math.Min(n, start + row + 1);
            var largest = Largest(scores, visible);
            var i = 0;
            var sum = ExpAndSum<V>(scores, largest, ref i, visible) + ExpAndSum<SimdScalar>(scores, largest, ref i, visible);
            logSumExp[row] = largest + MathF.Log(sum);
            i = 0;
            Times<V>(scores, 1 / sum, scores, ref i, visible);
            Times<SimdScalar>(scores, 1 / sum, scores, ref i, visible);
            new Span<float>(scores + visible, n - visible).Clear();
        }
    }

    public override void CausalSoftmaxBackward(float* scores, float* dp, long stride, float* logSumExp, int rows, int n, int start)
    {
        for (var row = 0; row < rows; row++, scores += stride, dp += stride)
        {
            var visible = Math.Min(n, start + row + 1);
            var i = 0;
            var dot = Probabilities<V>(scores, logSumExp[row], dp, ref i, visible)
                + Probabilities<SimdScalar>(scores, logSumExp[row], dp, ref i, visible);
            i = 0;
            Combine<V>(scores, dot, dp, ref i, visible);
            Combine<SimdScalar>(scores, dot, dp, ref i, visible);
            new Span<float>(scores + visible, n - visible).Clear();
            new Span<float>(dp + visible, n - visible).Clear();
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

    public override void CrossEntropy(float* logits, long* targets, float* losses, long rows, int n, float gradientFactor)
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
