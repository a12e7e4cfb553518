using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// A rule whose step of a matrix is not allowed one direction that dominates all others. Where inputs share a
/// direction, as the hidden states of a language model do, gradients are close to a matrix of rank one, Adam and Lion
/// bring all its entries to the same size, and the step's spectral norm is √(out·in) times the rate, √in times that of
/// a random step: at high rates rows align with the shared direction, and the norms that anGPT takes for known leave
/// their predictions. Here the largest singular value of the step is cut to a multiple of what a random matrix with
/// entries of the same size has, rms·(√out + √in); all other directions stay as they are. The singular vector is
/// followed from step to step by one power iteration each, for which each row is read once more.
/// </summary>
/// <param name="Rule">Gives the direction of the step.</param>
/// <param name="Limit">Largest singular value of the step as a multiple of a random matrix's.</param>
internal sealed record SpectralClipping(ElementwiseRule Rule, double Limit) : UpdateRule
{
    private const float SmallestNorm = 1e-20f;

    public override string Name => Rule.Name;

    public override RuleSettings Settings => Rule.Settings;

    internal override IReadOnlyList<StateTensor> State => [.. Rule.State, new("singular_vector", InitialVector)];

    public override UpdateRule With(RuleSettings settings) => this with { Rule = (ElementwiseRule)Rule.With(settings) };

    internal override void Update(IReadOnlyList<ParameterState> states, OptimizerStep step)
    {
        foreach (var state in states)
        {
            using var scope = NewDisposeScope();
            if (state.Gradient() is not { } gradient)
                continue;
            if (Rule.HasKernels && RowBlocks.Of([state]) is { } blocks)
                UpdateRows(state, gradient, blocks, step);
            else
                UpdateTensors(state, gradient, step);
            state.ConstrainColumns();
        }
    }

    /// <summary>
    /// A right singular vector to begin with: any that no gradient is orthogonal to; the same for each run.
    /// </summary>
    private static Tensor InitialVector(Tensor matrix)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var vector = randn([matrix.shape[1]], dtype: ScalarType.Float64, generator: generator);
        return (vector / vector.norm()).to(matrix.dtype).to(matrix.device).MoveToOuterDisposeScope();
    }

    private double Largest(double squares, long rows, long columns)
        => Limit * Math.Sqrt(squares / (rows * columns)) * (Math.Sqrt(rows) + Math.Sqrt(columns));

    private void UpdateTensors(ParameterState state, Tensor gradient, OptimizerStep step)
    {
        Dispatch.Record(Operation.SpectralClipping, DispatchPath.Eager);
        var (rows, columns, vector) = (gradient.shape[0], gradient.shape[1], state.Tensors[^1]);
        gradient.mul_(step.GradientFactor);
        var direction = Rule.Direction(state, gradient, step);
        var left = direction.mv(vector);
        left.div_(left.norm().clamp_min(SmallestNorm));
        var right = direction.t().mv(left);
        var sigma = right.norm();
        vector.copy_(right / sigma.clamp_min(SmallestNorm));
        var largest = direction.norm() * Largest(1, rows, columns);
        var excess = (sigma - largest).clamp_min(0);
        direction.sub_(outer(left * excess, vector));
        var stepSize = OptimizerStep.StepSize(Rule.StepSize(step), state);
        state.Parameter.mul_(step.Keep(state)).add_(direction, alpha: -stepSize);
        state.ConstraintOfRows.Apply(state.Parameter, dimension: 1);
        gradient.zero_();
    }

    /// <summary>
    /// The same on plain memory, in blocks of rows that depend on the shape alone; the direction takes the gradient's
    /// place.
    /// </summary>
    private unsafe void UpdateRows(ParameterState state, Tensor gradient, List<RowBlock> blocks, OptimizerStep step)
    {
        Dispatch.Record(Operation.SpectralClipping, DispatchPath.Fused);
        var (rows, width) = (gradient.shape[0], checked((int)gradient.shape[1]));
        var right = TensorMemory.Floats(state.Tensors[^1]);
        using var leftMemory = BufferPool.Rent(rows);
        using var sumsMemory = BufferPool.Rent((long)blocks.Count * width);
        float* left = leftMemory.Pointer, sums = sumsMemory.Pointer;
        var squares = new double[blocks.Count];

        // Dᵀ(D v) is the sum of (d·v) d over the rows d of D: one pass, while a row is in the cache.
        CpuTeam.Run(blocks.Count, index =>
        {
            var block = blocks[index];
            Rule.DirectionRows(block, step);
            var sum = sums + ((long)index * width);
            new Span<float>(sum, width).Clear();
            var total = 0.0;
            for (var row = 0; row < block.Rows; row++)
            {
                var values = block.Gradients + ((long)row * width);
                total += CpuKernels.Instance.SumOfSquares(values, width);
                var share = CpuKernels.Instance.InnerProduct(values, right, width);
                left[block.First + row] = share;
                CpuKernels.Instance.AddScaled(sum, values, share, width);
            }

            squares[index] = total;
        });
        for (var block = 1; block < blocks.Count; block++)
            CpuKernels.Instance.AddScaled(sums, sums + ((long)block * width), 1, width);
        var norm = Math.Max(Math.Sqrt(CpuKernels.Instance.SumOfSquares(left, rows)), SmallestNorm);
        var sigma = Math.Sqrt(CpuKernels.Instance.SumOfSquares(sums, width)) / norm;
        for (var i = 0; i < width; i++)
            right[i] = sums[i] / (float)Math.Max(sigma * norm, SmallestNorm);
        // Of a row's share of the left vector, which is not divided by its length.
        var excess = (float)(Math.Max(0, sigma - Largest(squares.Sum(), rows, width)) / norm);
        var (stepSize, keep) = (OptimizerStep.StepSize(Rule.StepSize(step), state), step.Keep(state));
        CpuTeam.Run(blocks.Count, index =>
        {
            var block = blocks[index];
            for (var row = 0; row < block.Rows; row++)
            {
                float* values = block.Values + ((long)row * width), direction = block.Gradients + ((long)row * width);
                if (excess > 0)
                    CpuKernels.Instance.AddScaled(direction, right, -excess * left[block.First + row], width);
                CpuKernels.Instance.ApplyDirection(
                    values, direction, 1, width, stepSize, keep, state.ConstraintOfRows);
            }
        });
    }
}
