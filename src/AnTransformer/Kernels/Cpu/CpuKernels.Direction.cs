using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <content>
/// Steps in two halves, Adam's directions among them, for updates that look at the whole matrix's direction before they
/// take it.
/// </content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void AdamDirection(float* g, float* mean, float* square, long n, in AdamStep step)
    {
        for (long start = 0; start < n; start += SumRun)
        {
            var (i, count) = (0, (int)Math.Min(SumRun, n - start));
            Run<V>(g + start, mean + start, square + start, step, ref i, count);
            Run<SimdScalar>(g + start, mean + start, square + start, step, ref i, count);
        }

        static void Run<W>(float* g, float* mean, float* square, in AdamStep step, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (beta1, beta2) = (W.Broadcast(step.Beta1), W.Broadcast(step.Beta2));
            var (rest1, rest2) = (W.Broadcast(step.Rest1), W.Broadcast(step.Rest2));
            var (epsilon, correction, factor) =
                (W.Broadcast(step.Epsilon), W.Broadcast(step.SquareCorrection), W.Broadcast(step.GradientFactor));
            for (; i + W.Width <= n; i += W.Width)
            {
                var gradient = W.Load(g + i) * factor;
                var m = W.MultiplyAdd(beta1, W.Load(mean + i), rest1 * gradient);
                var v = W.MultiplyAdd(beta2, W.Load(square + i), rest2 * gradient * gradient);
                m.Store(mean + i);
                v.Store(square + i);
                (m / W.MultiplyAdd(W.Sqrt(v), correction, epsilon)).Store(g + i);
            }
        }
    }

    public override void ApplyDirection(
        float* w, float* u, long rows, int n, float rate, float keep, RowConstraint constraint)
    {
        for (long row = 0; row < rows; row++, w += n, u += n)
        {
            var i = 0;
            var norm = Run<V>(w, u, rate, keep, ref i, n) + Run<SimdScalar>(w, u, rate, keep, ref i, n);
            ConstrainRow(w, norm, n, constraint);
        }

        static float Run<W>(float* w, float* u, float rate, float keep, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (backward, kept) = (W.Broadcast(-rate), W.Broadcast(keep));
            var (norm, zero) = (W.Broadcast(0), W.Broadcast(0));
            for (; i + W.Width <= n; i += W.Width)
            {
                var updated = W.MultiplyAdd(backward, W.Load(u + i), W.Load(w + i) * kept);
                updated.Store(w + i);
                zero.Store(u + i);
                norm = W.MultiplyAdd(updated, updated, norm);
            }

            return norm.Sum();
        }
    }
}
