namespace AnTransformer.Kernels.Cpu;

/// <content>The gated activation u ⊙ SiLU(k·g).</content>
internal sealed unsafe partial class CpuKernels<V>
{
    public override void SwiGlu(float* gu, float* m, long rows, int f, float k)
    {
        for (long row = 0; row < rows; row++, gu += 2 * (long)f, m += f)
        {
            var i = 0;
            Run<V>(gu, gu + f, m, k, ref i, f);
            Run<SimdScalar>(gu, gu + f, m, k, ref i, f);
        }

        static void Run<W>(float* gate, float* up, float* m, float k, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var factor = W.Broadcast(k);
            for (; i + W.Width <= n; i += W.Width)
            {
                var z = W.Load(gate + i) * factor;
                (W.Load(up + i) * z * SimdMath.Sigmoid(z)).Store(m + i);
            }
        }
    }

    // With z = k g and s = σ(z):  m = u z s,  du = dm z s,  dg = k dm u s (1 + z (1 − s)).
    public override void SwiGluBackward(float* dm, float* gu, long rows, int f, float k)
    {
        for (long row = 0; row < rows; row++, gu += 2 * (long)f, dm += f)
        {
            var i = 0;
            Run<V>(dm, gu, gu + f, k, ref i, f);
            Run<SimdScalar>(dm, gu, gu + f, k, ref i, f);
        }

        static void Run<W>(float* dm, float* gate, float* up, float k, ref int i, int n)
            where W : struct, ISimd<W>
        {
            var (factor, one) = (W.Broadcast(k), W.Broadcast(1));
            for (; i + W.Width <= n; i += W.Width)
            {
                var z = W.Load(gate + i) * factor;
                var s = SimdMath.Sigmoid(z);
                var scaled = W.Load(dm + i) * s;
                var u = W.Load(up + i);
                (u * z * s).Store(dm + i);
                (scaled * factor * u * W.MultiplyAdd(z, one - s, one)).Store(gate + i);
                (scaled * z).Store(up + i);
            }
        }
    }
}
