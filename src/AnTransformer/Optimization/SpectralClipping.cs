using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Adam whose step of a matrix is not allowed one direction that dominates all others. Where inputs share a direction, as the hidden states
/// of a language model do, gradients are close to a matrix of rank one, Adam brings all its entries to the same size, and the step's
/// spectral norm is √(out·in) times the rate, √in times that of a random step: at high rates rows align with the shared direction, and the
/// norms that anGPT takes for known leave their predictions. Here the largest singular value of the step is cut to a multiple of what a
/// random matrix with entries of the same size has, rms·(√out + √in); all other directions stay as they are. The singular vector is
/// followed from step to step by one power iteration each, two passes over the matrix.
/// </summary>
internal static unsafe class SpectralClipping
{
    private const long ElementsPerBlock = 1 << 15;
    private const float SmallestNorm = 1e-20f;

    /// <summary>A right singular vector to begin with: any that no gradient is orthogonal to; the same for each run.</summary>
    /// <param name="like">Gives dtype and device.</param>
    /// <param name="columns">Its length.</param>
    public static Tensor InitialVector(Tensor like, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var vector = randn([columns], dtype: ScalarType.Float64, generator: generator);
        return (vector / vector.norm()).to(like.dtype).to(like.device).MoveToOuterDisposeScope();
    }

    /// <summary>Takes a matrix's step, applies its constraint, and empties the gradient.</summary>
    /// <param name="state">The matrix, with its singular vector.</param>
    /// <param name="step">Adam's constants at the matrix's own rate.</param>
    /// <param name="limit">Largest singular value of the step as a multiple of a random matrix's.</param>
    public static void Update(ParameterState state, AdamStep step, double limit)
    {
        using var scope = NewDisposeScope();
        if (state.Gradient() is not { } gradient)
            return;
        var rows = state.Dimension == 1 ? state.Constraint : RowConstraint.None;
        if (FusedKernels.FitCpu(state.Parameter, gradient, state.Mean, state.Square, state.SingularVector))
            Update(state, gradient, step, limit, rows);
        else
            UpdateTensors(state, gradient, step, limit, rows);
        if (rows != state.Constraint)
            state.Constraint.Apply(state.Parameter, state.Dimension);
    }

    private static double Largest(double squares, long rows, long columns, double limit)
        => limit * Math.Sqrt(squares / (rows * columns)) * (Math.Sqrt(rows) + Math.Sqrt(columns));

    private static void UpdateTensors(ParameterState state, Tensor gradient, AdamStep step, double limit, RowConstraint constraint)
    {
        Dispatch.Record(Operation.SpectralClipping, DispatchPath.Eager);
        var (rows, columns) = (gradient.shape[0], gradient.shape[1]);
        gradient.mul_(step.GradientFactor);
        state.Mean.mul_(step.Beta1).add_(gradient, alpha: step.Rest1);
        state.Square.mul_(step.Beta2).addcmul_(gradient, gradient, step.Rest2);
        var direction = state.Mean / state.Square.sqrt().mul_(step.SquareCorrection).add_(step.Epsilon);
        var left = direction.mv(state.SingularVector!);
        left.div_(left.norm().clamp_min(SmallestNorm));
        var right = direction.t().mv(left);
        var sigma = right.norm();
        state.SingularVector!.copy_(right / sigma.clamp_min(SmallestNorm));
        var largest = direction.norm() * Largest(1, rows, columns, limit);
        var excess = (sigma - largest).clamp_min(0);
        direction.sub_(outer(left * excess, state.SingularVector));
        state.Parameter.mul_(step.Keep).add_(direction, alpha: -step.StepSize);
        constraint.Apply(state.Parameter, dimension: 1);
        gradient.zero_();
    }

    /// <summary>The same on plain memory, in blocks of rows that depend on the shape alone; the direction takes the gradient's place.</summary>
    private static void Update(ParameterState state, Tensor gradient, AdamStep step, double limit, RowConstraint constraint)
    {
        Dispatch.Record(Operation.SpectralClipping, DispatchPath.Fused);
        var (rows, width) = (gradient.shape[0], checked((int)gradient.shape[1]));
        float* u = TensorMemory.Floats(gradient), w = TensorMemory.Floats(state.Parameter), right = TensorMemory.Floats(state.SingularVector!);
        float* mean = TensorMemory.Floats(state.Mean), square = TensorMemory.Floats(state.Square);
        var rowsPerBlock = Math.Max(1, ElementsPerBlock / width);
        var blocks = (int)((rows + rowsPerBlock - 1) / rowsPerBlock);
        using var leftMemory = BufferPool.Rent(rows);
        using var sumsMemory = BufferPool.Rent((long)blocks * width);
        float* left = leftMemory.Pointer, sums = sumsMemory.Pointer;
        var squares = new double[blocks];

        void ForBlocks(Action<int, long, long> body)
            => CpuTeam.Run(blocks, block => body(block, block * rowsPerBlock, Math.Min(rows, (block + 1) * rowsPerBlock)));

        ForBlocks((block, first, end) =>
        {
            var (at, count) = (first * width, (end - first) * width);
            CpuKernels.Instance.AdamDirection(u + at, mean + at, square + at, count, step);
            squares[block] = CpuKernels.Instance.SumOfSquares(u + at, count);
            for (var row = first; row < end; row++)
                left[row] = CpuKernels.Instance.InnerProduct(u + (row * width), right, width);
        });
        var norm = (float)Math.Sqrt(CpuKernels.Instance.SumOfSquares(left, rows));
        ForBlocks((block, first, end) =>
        {
            var sum = sums + ((long)block * width);
            new Span<float>(sum, width).Clear();
            for (var row = first; row < end; row++)
            {
                left[row] /= MathF.Max(norm, SmallestNorm);
                CpuKernels.Instance.AddScaled(sum, u + (row * width), left[row], width);
            }
        });
        for (var block = 1; block < blocks; block++)
            CpuKernels.Instance.AddScaled(sums, sums + ((long)block * width), 1, width);
        var sigma = Math.Sqrt(CpuKernels.Instance.SumOfSquares(sums, width));
        for (var i = 0; i < width; i++)
            right[i] = sums[i] / MathF.Max((float)sigma, SmallestNorm);
        var excess = (float)Math.Max(0, sigma - Largest(squares.Sum(), rows, width, limit));
        ForBlocks((_, first, end) =>
        {
            for (var row = first; row < end && excess > 0; row++)
                CpuKernels.Instance.AddScaled(u + (row * width), right, -excess * left[row], width);
            CpuKernels.Instance.ApplyDirection(w + (first * width), u + (first * width), end - first, width, step, constraint);
        });
    }
}
