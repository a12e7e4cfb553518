using System.Runtime.InteropServices;
using AnTransformer.Native;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// fp32 matrix products on row-major memory: by <see cref="BlockedGemm"/> where it is the faster one, else by the BLAS
/// inside LibTorch, its <c>sgemm</c> where it is exported (MKL on x64), else through tensors over the same memory.
/// </summary>
internal static unsafe class Gemm
{
    // With fewer rows packing B costs more than the product gains.
    private const long SmallestOwn = 32;

    private static readonly delegate* unmanaged<
        byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void> Sgemm =
        (delegate* unmanaged<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*,
            void>)
        LibTorch.FindExport("sgemm_");

    /// <summary>Set to <c>blas</c> or <c>own</c> in the environment to choose; the default depends on the processor
    /// alone, so that runs repeat bit for bit.</summary>
    public const string EnvironmentVariable = "ANTRANSFORMER_GEMM";

    /// <summary>
    /// Whether <see cref="BlockedGemm"/> is used. Changed by tests only, and by those that run alone.
    /// </summary>
    public static bool UsesOwn { get; set; } = UsesOwnByDefault(
        Environment.GetEnvironmentVariable(EnvironmentVariable));

    /// <summary>What the environment variable's value says, null for none.</summary>
    public static bool UsesOwnByDefault(string? setting) => setting?.ToLowerInvariant() switch
    {
        "own" => true,
        "blas" => false,
        _ => BlockedGemm.IsPreferred,
    };

    /// <summary>
    /// C ← α·A·Bᵀ + β·C, with A [m, k], B [n, k], C [m, n]: a linear map with a matrix stored [out, in].
    /// </summary>
    public static void MultiplyTransposed(
        long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc)
        => Multiply(false, true, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);

    /// <summary>C ← α·A·B + β·C, with A [m, k], B [k, n], C [m, n]: the gradient of a linear map's input.</summary>
    public static void Multiply(
        long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc)
        => Multiply(false, false, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);

    /// <summary>C ← α·Aᵀ·B + β·C, with A [k, m], B [k, n], C [m, n]: the gradient of a linear map's matrix.</summary>
    public static void TransposedMultiply(
        long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc)
        => Multiply(true, false, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);

    /// <summary>C ← α·op(A)·op(B) + β·C by LibTorch's <c>sgemm</c>, or through tensors where it exports none.</summary>
    internal static void MultiplyByBlas(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta,
        float* c, long ldc)
    {
        if (Sgemm == null)
        {
            MultiplyTensors(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
            return;
        }

        // BLAS stores columns first: the same memory read that way is the transpose, and Cᵀ = Bᵀ Aᵀ.
        var (opA, opB) = ((byte)(transposeA ? 'T' : 'N'), (byte)(transposeB ? 'T' : 'N'));
        var (rows, columns, inner) = ((int)n, (int)m, (int)k);
        var (strideA, strideB, strideC) = ((int)lda, (int)ldb, (int)ldc);
        Sgemm(&opB, &opA, &rows, &columns, &inner, &alpha, b, &strideB, a, &strideA, &beta, c, &strideC);
    }

    /// <summary>C ← α·op(A)·op(B) + β·C by LibTorch's operator on tensors over the memory.</summary>
    internal static void MultiplyTensors(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta,
        float* c, long ldc)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var first = View(a, transposeA ? k : m, transposeA ? m : k, lda);
        var second = View(b, transposeB ? n : k, transposeB ? k : n, ldb);
        var product = View(c, m, n, ldc);
        product.addmm_(transposeA ? first.t() : first, transposeB ? second.t() : second, beta, alpha);
    }

    private static void Multiply(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta,
        float* c, long ldc)
    {
        var isOwn = UsesOwn && m >= SmallestOwn;
        Dispatch.Record(Operation.MatrixProduct, isOwn ? DispatchPath.Own : DispatchPath.Blas);
        if (isOwn)
            BlockedGemm.Instance.Multiply(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
        else
            MultiplyByBlas(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /// <summary>A [rows, columns] tensor over memory whose rows are <paramref name="stride"/> floats apart.</summary>
    private static Tensor View(float* memory, long rows, long columns, long stride)
        => TensorMemory.Wrap((nint)memory, &Keep, [((rows - 1) * stride) + columns]).as_strided(
            [rows, columns], [stride, 1]);

    [UnmanagedCallersOnly]
    private static void Keep(nint memory)
    {
        // The memory belongs to the caller.
    }
}
