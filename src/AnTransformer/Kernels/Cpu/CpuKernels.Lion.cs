using System.Runtime.CompilerServices;
using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <content>Lion with decoupled decay, whole and up to its direction.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void Lion(
        float* w, float* g, float* momentum, long rows, int n, in LionStep step, RowConstraint constraint)
    {
        for (long row = 0; row < rows; row++, w += n, g += n, momentum += n)
        {
            var i = 0;
            var norm = Run<V>(w, g, momentum, step, ref i, n) + Run<SimdScalar>(w, g, momentum, step, ref i, n);
            ConstrainRow(w, norm, n, constraint);
        }

        static float Run<W>(float* w, float* g, float* momentum, in LionStep step, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (rate, keep) = (W.Broadcast(-step.StepSize), W.Broadcast(step.Keep));
            var (norm, zero) = (W.Broadcast(0), W.Broadcast(0));
            for (; i + W.Width <= n; i += W.Width)
            {
                var updated = W.MultiplyAdd(rate, LionSign<W>(g + i, momentum + i, step), W.Load(w + i) * keep);
                updated.Store(w + i);
                zero.Store(g + i);
                norm = W.MultiplyAdd(updated, updated, norm);
            }

            return norm.Sum();
        }
    }

    public override void LionDirection(float* g, float* momentum, long n, in LionStep step)
    {
        for (long start = 0; start < n; start += SumRun)
        {
            var (i, count) = (0, (int)Math.Min(SumRun, n - start));
            Run<V>(g + start, momentum + start, step, ref i, count);
            Run<SimdScalar>(g + start, momentum + start, step, ref i, count);
        }

        static void Run<W>(float* g, float* momentum, in LionStep step, ref int i, int n)
            where W : struct, ISimd<W>
        {
            for (; i + W.Width <= n; i += W.Width)
                LionSign<W>(g + i, momentum + i, step).Store(g + i);
        }
    }

    /// <summary>sign(β₁m + (1 − β₁)g), and the momentum brought forward.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static W LionSign<W>(float* g, float* momentum, in LionStep step)
        where W : struct, ISimd<W>
    {
        var (gradient, m) = (W.Load(g) * W.Broadcast(step.GradientFactor), W.Load(momentum));
        W.MultiplyAdd(W.Broadcast(step.Beta2), m, W.Broadcast(step.Rest2) * gradient).Store(momentum);
        var mixed = W.MultiplyAdd(W.Broadcast(step.Beta1), m, W.Broadcast(step.Rest1) * gradient);
        // The smallest number becomes larger than 1 and is cut to 1, zero stays, and what is no number stays so.
        var grown = mixed * W.Broadcast(1e30f) * W.Broadcast(1e30f);
        return W.Max(W.Broadcast(-1), W.Min(W.Broadcast(1), grown));
    }
}
