using System.Runtime.CompilerServices;
using AnTransformer.Graphs;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>How a block's output joins rows of the residual stream, in place and in one pass over a row.</summary>
internal abstract unsafe class StreamUpdate : IDisposable
{
    /// <summary>The update that a graph names.</summary>
    /// <typeparam name="V">The vector.</typeparam>
    /// <param name="update">Of a graph.</param>
    public static StreamUpdate Of<V>(ResidualUpdate update)
        where V : struct, ISimd<V>
        => update switch
        {
            ResidualSum => new Sum(),
            NormalizedResidualSum normalized => new NormalizedSum(normalized.Norm),
            Interpolation interpolation => new Mix<V>(interpolation),
            SphereUpdate sphere => new Sphere(sphere),
            _ => throw new NotSupportedException($"The residual update {update.GetType().Name} has no kernel."),
        };

    /// <summary>h ← update(h, x).</summary>
    /// <param name="h">[rows, d].</param>
    /// <param name="x">[rows, d].</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="d">Their length.</param>
    /// <param name="scratch">[d].</param>
    public abstract void Apply(float* h, float* x, int rows, int d, float* scratch);

    /// <inheritdoc/>
    public abstract void Dispose();

    private sealed class Sum : StreamUpdate
    {
        public override void Apply(float* h, float* x, int rows, int d, float* scratch)
            => CpuKernels.Instance.AddScaled(h, x, 1, (long)rows * d);

        public override void Dispose()
        {
            // It has no numbers.
        }
    }

    private sealed class NormalizedSum(RmsNormFunction norm) : StreamUpdate
    {
        private readonly NativeBuffer _gain = NativeBuffer.Of(norm.Gain);

        public override void Apply(float* h, float* x, int rows, int d, float* scratch)
        {
            for (var row = 0; row < rows; row++, h += d, x += d)
            {
                CpuKernels.Instance.RmsNorm(x, _gain.Floats, scratch, 1, d, (float)norm.Epsilon);
                CpuKernels.Instance.AddScaled(h, scratch, 1, d);
            }
        }

        public override void Dispose() => _gain.Dispose();
    }

    private sealed class Sphere(SphereUpdate sphere) : StreamUpdate
    {
        private readonly NativeBuffer _alpha = NativeBuffer.Of(sphere.Alpha);

        public override void Apply(float* h, float* x, int rows, int d, float* scratch)
            => CpuKernels.Instance.SphereUpdate(h, x, _alpha.Floats, h, rows, d);

        public override void Dispose() => _alpha.Dispose();
    }

    /// <summary>keep ⊙ h + share ⊙ x: one load more for each number than a plain sum.</summary>
    private sealed class Mix<V>(Interpolation mix) : StreamUpdate
        where V : struct, ISimd<V>
    {
        private readonly NativeBuffer _keep = NativeBuffer.Of(mix.Keep);
        private readonly NativeBuffer _share = NativeBuffer.Of(mix.Share);

        public override void Apply(float* h, float* x, int rows, int d, float* scratch)
        {
            for (var row = 0; row < rows; row++, h += d, x += d)
            {
                var i = 0;
                Run<V>(h, x, ref i, d);
                Run<SimdScalar>(h, x, ref i, d);
            }
        }

        public override void Dispose()
        {
            _keep.Dispose();
            _share.Dispose();
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Run<W>(float* h, float* x, ref int i, int d)
            where W : struct, ISimd<W>
        {
            float* keep = _keep.Floats, share = _share.Floats;
            for (; i + W.Width <= d; i += W.Width)
                W.MultiplyAdd(W.Load(share + i), W.Load(x + i), W.Load(keep + i) * W.Load(h + i)).Store(h + i);
        }
    }
}
