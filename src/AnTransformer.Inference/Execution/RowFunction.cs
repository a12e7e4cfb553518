using AnTransformer.Graphs;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>What is applied to rows of the residual stream before matrices read them.</summary>
internal abstract unsafe class RowFunction : IDisposable
{
    /// <summary>Whether it leaves rows as they are.</summary>
    public virtual bool IsIdentity => false;

    /// <summary>The function that a graph names.</summary>
    /// <param name="function">Of a graph.</param>
    public static RowFunction Of(InputFunction function) => function switch
    {
        IdentityFunction => new Identity(),
        RmsNormFunction rms => new Rms(rms),
        TanhFunction tanh => new Squash(Squashing.Tanh, tanh.Slope, 0, tanh.Gain, tanh.Bias),
        ErfFunction erf => new Squash(Squashing.Erf, erf.Slope, erf.Shift, erf.Gain, erf.Bias),
        _ => throw new NotSupportedException($"The input function {function.GetType().Name} has no kernel."),
    };

    /// <summary>y = f(x) for rows of d numbers.</summary>
    /// <param name="x">[rows, d].</param>
    /// <param name="y">[rows, d].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="d">Their length.</param>
    public abstract void Apply(float* x, float* y, int rows, int d);

    /// <inheritdoc/>
    public abstract void Dispose();

    private sealed class Identity : RowFunction
    {
        public override bool IsIdentity => true;

        public override void Apply(float* x, float* y, int rows, int d)
            => Buffer.MemoryCopy(x, y, (long)rows * d * sizeof(float), (long)rows * d * sizeof(float));

        public override void Dispose()
        {
            // It has no numbers.
        }
    }

    private sealed class Rms(RmsNormFunction rms) : RowFunction
    {
        private readonly NativeBuffer _gain = NativeBuffer.Of(rms.Gain);
        private readonly float _epsilon = (float)rms.Epsilon;

        public override void Apply(float* x, float* y, int rows, int d)
            => CpuKernels.Instance.RmsNorm(x, _gain.Floats, y, rows, d, _epsilon);

        public override void Dispose() => _gain.Dispose();
    }

    private sealed class Squash(Squashing kind, double slope, double shift, double[] gain, double[] bias) : RowFunction
    {
        private readonly NativeBuffer _gain = NativeBuffer.Of(gain);
        private readonly NativeBuffer _bias = NativeBuffer.Of(bias);

        public override void Apply(float* x, float* y, int rows, int d)
            => CpuKernels.Instance.Squash(kind, x, (float)slope, (float)shift, _gain.Floats, _bias.Floats, y, rows, d);

        public override void Dispose()
        {
            _gain.Dispose();
            _bias.Dispose();
        }
    }
}
