namespace AnTransformer.Kernels.Cpu;

/// <content>Bounded functions in the place of normalization layers: gain ⊙ f(a·x + s) + bias.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void Squash(
        Squashing f, float* x, float a, float s, float* gain, float* bias, float* y, long rows, int n)
    {
        for (long row = 0; row < rows; row++, x += n, y += n)
        {
            var i = 0;
            Run<V>(f, x, a, s, gain, bias, y, ref i, n);
            Run<SimdScalar>(f, x, a, s, gain, bias, y, ref i, n);
        }

        static void Run<W>(
            Squashing f, float* x, float a, float s, float* gain, float* bias, float* y, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (slope, shift) = (W.Broadcast(a), W.Broadcast(s));
            for (; i + W.Width <= n; i += W.Width)
            {
                var (value, _) = Value(f, W.MultiplyAdd(slope, W.Load(x + i), shift));
                W.MultiplyAdd(W.Load(gain + i), value, W.Load(bias + i)).Store(y + i);
            }
        }
    }

    // With z = a x + s: dgain = Σ dy ⊙ f(z), dbias = Σ dy, dz = dy ⊙ gain ⊙ f′(z), dx = a dz, da = Σ dz ⊙ x, ds = Σ dz.
    public override void SquashBackward(
        Squashing f, float* dy, float* x, float a, float s, float* gain, float* dx, float* dgain, float* dbias,
        float* da, float* ds, long rows, int n)
    {
        for (long row = 0; row < rows; row++, dy += n, x += n, dx += n)
        {
            var i = 0;
            Run<V>(f, dy, x, a, s, gain, dx, dgain, dbias, da, ds, ref i, n);
            Run<SimdScalar>(f, dy, x, a, s, gain, dx, dgain, dbias, da, ds, ref i, n);
        }

        static void Run<W>(
            Squashing f, float* dy, float* x, float a, float s, float* gain, float* dx, float* dgain, float* dbias,
            float* da, float* ds, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (slope, shift) = (W.Broadcast(a), W.Broadcast(s));
            var (alongX, sum) = (W.Broadcast(0), W.Broadcast(0));
            for (; i + W.Width <= n; i += W.Width)
            {
                var (input, g) = (W.Load(x + i), W.Load(dy + i));
                var (value, derivative) = Value(f, W.MultiplyAdd(slope, input, shift));
                W.MultiplyAdd(g, value, W.Load(dgain + i)).Store(dgain + i);
                (W.Load(dbias + i) + g).Store(dbias + i);
                var dz = g * W.Load(gain + i) * derivative;
                (dz * slope).Store(dx + i);
                alongX = W.MultiplyAdd(dz, input, alongX);
                sum += dz;
            }

            *da += alongX.Sum();
            *ds += sum.Sum();
        }
    }

    /// <summary>f(z) and f′(z).</summary>
    private static (W Value, W Derivative) Value<W>(Squashing f, W z)
        where W : struct, ISimd<W>
    {
        var one = W.Broadcast(1);
        if (f == Squashing.Tanh)
        {
            var tanh = SimdMath.Tanh(z);
            return (tanh, one - (tanh * tanh));
        }

        var gauss = SimdMath.Exp(W.Broadcast(0) - (z * z));
        return (SimdMath.Erf(z, gauss), gauss * W.Broadcast(1.128379167f));
    }
}
