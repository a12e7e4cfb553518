using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <content>Adam with decoupled decay, and the row constraint while a row is in the cache.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    private const float SmallestVectorNorm = 1e-30f;

    public override void Adam(
        float* w, float* g, float* mean, float* square, long rows, int n, in AdamStep step, RowConstraint constraint)
    {
        for (long row = 0; row < rows; row++, w += n, g += n, mean += n, square += n)
        {
            var i = 0;
            var norm = Run<V>(w, g, mean, square, step, ref i, n) + Run<SimdScalar>(w, g, mean, square, step, ref i, n);
            ConstrainRow(w, norm, n, constraint);
        }

        static float Run<W>(float* w, float* g, float* mean, float* square, in AdamStep step, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (beta1, beta2) = (W.Broadcast(step.Beta1), W.Broadcast(step.Beta2));
            var (rest1, rest2) = (W.Broadcast(step.Rest1), W.Broadcast(step.Rest2));
            var (epsilon, rate) = (W.Broadcast(step.Epsilon), W.Broadcast(-step.StepSize));
            var (correction, keep, factor) = (W.Broadcast(step.SquareCorrection), W.Broadcast(step.Keep), W.Broadcast(
                step.GradientFactor));
            var (norm, zero) = (W.Broadcast(0), W.Broadcast(0));
            for (; i + W.Width <= n; i += W.Width)
            {
                var gradient = W.Load(g + i) * factor;
                var m = W.MultiplyAdd(beta1, W.Load(mean + i), rest1 * gradient);
                var v = W.MultiplyAdd(beta2, W.Load(square + i), rest2 * gradient * gradient);
                m.Store(mean + i);
                v.Store(square + i);
                zero.Store(g + i);
                var denominator = W.MultiplyAdd(W.Sqrt(v), correction, epsilon);
                var updated = W.MultiplyAdd(rate, m / denominator, W.Load(w + i) * keep);
                updated.Store(w + i);
                norm = W.MultiplyAdd(updated, updated, norm);
            }

            return norm.Sum();
        }
    }

    /// <summary>Brings an updated row into its space, given its squared norm.</summary>
    private static void ConstrainRow(float* w, float squaredNorm, int n, RowConstraint constraint)
    {
        if (constraint == RowConstraint.None || (constraint == RowConstraint.Bounded && squaredNorm <= 1))
            return;
        var scale = 1 / MathF.Max(MathF.Sqrt(squaredNorm), SmallestVectorNorm);
        var i = 0;
        Times<V>(w, scale, w, ref i, n);
        Times<SimdScalar>(w, scale, w, ref i, n);
    }

    public override void ConstrainColumns(float* w, long rows, int n, int from, int to, RowConstraint constraint)
    {
        var width = to - from;
        var scale = stackalloc float[width];
        new Span<float>(scale, width).Clear();
        for (long row = 0; row < rows; row++)
        {
            var i = 0;
            AddSquares<V>(w + (row * n) + from, scale, ref i, width);
            AddSquares<SimdScalar>(w + (row * n) + from, scale, ref i, width);
        }

        for (var column = 0; column < width; column++)
        {
            var norm = MathF.Sqrt(scale[column]);
            scale[column] = 1 / MathF.Max(norm, constraint == RowConstraint.Bounded ? 1 : SmallestVectorNorm);
        }

        for (long row = 0; row < rows; row++)
        {
            var i = 0;
            Multiply<V>(w + (row * n) + from, scale, w + (row * n) + from, ref i, width);
            Multiply<SimdScalar>(w + (row * n) + from, scale, w + (row * n) + from, ref i, width);
        }

        static void AddSquares<W>(float* w, float* sums, ref int i, int n)
            where W : struct, ISimd<W>
        {
            for (; i + W.Width <= n; i += W.Width)
            {
                var value = W.Load(w + i);
                W.MultiplyAdd(value, value, W.Load(sums + i)).Store(sums + i);
            }
        }
    }
}
