namespace AnTransformer.Kernels.Cpu;

/// <content>RMSNorm with gain.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void RmsNorm(float* x, float* gain, float* y, long rows, int n, float epsilon)
    {
        for (long row = 0; row < rows; row++, x += n, y += n)
        {
            var factor = InverseRms(x, n, epsilon);
            var i = 0;
            Run<V>(x, gain, factor, y, ref i, n);
            Run<SimdScalar>(x, gain, factor, y, ref i, n);
        }

        static void Run<W>(float* x, float* gain, float factor, float* y, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var f = W.Broadcast(factor);
            for (; i + W.Width <= n; i += W.Width)
                (W.Load(x + i) * f * W.Load(gain + i)).Store(y + i);
        }
    }

    // With r = 1/RMS and x̂ = r x:  dx = r (gain ⊙ dy − x̂ mean(gain ⊙ dy ⊙ x̂)),  dgain = Σ dy ⊙ x̂.
    public override void RmsNormBackward(
        float* dy, float* x, float* gain, float* dx, float* dgain, long rows, int n, float epsilon)
    {
        for (long row = 0; row < rows; row++, dy += n, x += n, dx += n)
        {
            var factor = InverseRms(x, n, epsilon);
            var i = 0;
            var dot = Reduce<V>(dy, x, gain, factor, dgain, ref i, n)
                + Reduce<SimdScalar>(dy, x, gain, factor, dgain, ref i, n);
            i = 0;
            var along = dot * factor * factor * factor / n;
            Combine<V>(dy, x, gain, factor, along, dx, ref i, n);
            Combine<SimdScalar>(dy, x, gain, factor, along, dx, ref i, n);
        }

        static float Reduce<W>(float* dy, float* x, float* gain, float factor, float* dgain, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (sum, f) = (W.Broadcast(0), W.Broadcast(factor));
            for (; i + W.Width <= n; i += W.Width)
            {
                var product = W.Load(dy + i) * W.Load(x + i);
                sum = W.MultiplyAdd(product, W.Load(gain + i), sum);
                W.MultiplyAdd(product, f, W.Load(dgain + i)).Store(dgain + i);
            }

            return sum.Sum();
        }

        static void Combine<W>(float* dy, float* x, float* gain, float factor, float along, float* dx, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (f, a) = (W.Broadcast(factor), W.Broadcast(-along));
            for (; i + W.Width <= n; i += W.Width)
            {
                var (value, g) = (W.Load(x + i), W.Load(gain + i));
                W.MultiplyAdd(a, value, W.Load(dy + i) * g * f).Store(dx + i);
                (value * f * g).Store(dy + i);
            }
        }
    }

    private static float InverseRms(float* x, int n, float epsilon) => 1 / MathF.Sqrt((Dot(x, x, n) / n) + epsilon);
}
