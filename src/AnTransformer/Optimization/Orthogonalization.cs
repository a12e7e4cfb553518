using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Optimization;

/// <summary>
/// Brings a matrix's singular values near 1 without computing them: five steps of a quintic Newton–Schulz iteration,
/// X ← aX + (bA + cA²)X with A = XXᵀ, whose constants (Jordan et al. 2024) let small values grow fast at the price of
/// an error of up to 0.3.
/// </summary>
internal static unsafe class Orthogonalization
{
    private const int Steps = 5;
    private const float A = 3.4445f;
    private const float B = -4.7750f;
    private const float C = 2.0315f;
    private const double SmallestNorm = 1e-20;

    /// <summary>Replaces a matrix by the orthogonalized one, in place.</summary>
    /// <param name="matrix">Shape [out, in].</param>
    public static void Apply(Tensor matrix)
    {
        using var scope = NewDisposeScope();
        if (FusedKernels.FitCpu(matrix))
        {
            Dispatch.Record(Operation.Orthogonalization, DispatchPath.Fused);
            var x = TensorMemory.Floats(matrix);
            var count = matrix.numel();
            // Not LibTorch's norm, whose rounding depends on the number of threads.
            CpuKernels.Instance.Multiply(
                x, (float)(1 / Math.Max(Math.Sqrt(CpuKernels.Instance.SumOfSquares(x, count)), SmallestNorm)), count);
            Iterate(x, matrix.shape[0], matrix.shape[1]);
        }
        else
        {
            Dispatch.Record(Operation.Orthogonalization, DispatchPath.Eager);
            matrix.div_(matrix.norm().clamp_min(SmallestNorm));
            Iterate(matrix);
        }
    }

    private static void Iterate(Tensor matrix)
    {
        var isTall = matrix.shape[0] > matrix.shape[1];
        var x = isTall ? matrix.t() : matrix;
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            var gram = x.mm(x.t());
            var polynomial = addmm(gram, gram, gram, beta: B, alpha: C);
            x.copy_(addmm(x, polynomial, x, beta: A, alpha: 1));
        }
    }

    /// <summary>The same on plain memory, where sums start at the terms they are added to.</summary>
    private static void Iterate(float* x, long rows, long columns)
    {
        var side = Math.Min(rows, columns);
        using var gramMemory = BufferPool.Rent(side * side);
        using var polynomialMemory = BufferPool.Rent(side * side);
        using var nextMemory = BufferPool.Rent(rows * columns);
        float* gram = gramMemory.Pointer, polynomial = polynomialMemory.Pointer, next = nextMemory.Pointer, current = x;
        for (var step = 0; step < Steps; step++)
        {
            if (rows > columns)
                Gemm.TransposedMultiply(side, side, rows, 1, current, columns, current, columns, 0, gram, side);
            else
                Gemm.MultiplyTransposed(side, side, columns, 1, current, columns, current, columns, 0, gram, side);
            Scale(gram, B, polynomial, side * side);
            Gemm.Multiply(side, side, side, C, gram, side, gram, side, 1, polynomial, side);
            Scale(current, A, next, rows * columns);
            if (rows > columns)
                Gemm.Multiply(rows, columns, side, 1, current, columns, polynomial, side, 1, next, columns);
            else
                Gemm.Multiply(rows, columns, side, 1, polynomial, side, current, columns, 1, next, columns);
            var swapped = current;
            current = next;
            next = swapped;
        }

        if (current != x)
            Buffer.MemoryCopy(current, x, rows * columns * sizeof(float), rows * columns * sizeof(float));
    }

    private static void Scale(float* from, float factor, float* to, long count)
        => CpuTeam.For(count, 1 << 14, (first, length) =>
        {
            for (var i = first; i < first + length; i++)
                to[i] = from[i] * factor;
        });
}
