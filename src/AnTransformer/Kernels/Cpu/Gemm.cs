using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AnTransformer.Native;
using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// fp32 matrix products on row-major memory: by <see cref="BlockedGemm"/> where it was measured to be the faster one,
/// else by the BLAS inside LibTorch, its <c>sgemm</c> where it is exported (MKL on x64), else through tensors over the
/// same memory.
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

    private static readonly Lock Choosing = new();
    private static ProductChoice? s_choice;

    /// <summary>
    /// Set to <c>own</c> or <c>blas</c> in the environment to choose; <c>auto</c> is the default.
    /// </summary>
    public const string EnvironmentVariable = "ANTRANSFORMER_GEMM";

    /// <summary>
    /// Which of both runs. Decided when it is first asked for: by the environment, else by what was measured on this
    /// machine (<see cref="ProductRecord"/>), so that runs repeat bit for bit. Set by tests only, and by those that run
    /// alone.
    /// </summary>
    /// <exception cref="InvalidInputException">The environment variable has another value.</exception>
    public static ProductChoice Choice
    {
        get
        {
            if (s_choice is { } choice)
                return choice;
            lock (Choosing)
                return s_choice ??= Choose(Environment.GetEnvironmentVariable(EnvironmentVariable));
        }

        set
        {
            lock (Choosing)
                s_choice = value;
        }
    }

    /// <summary>Whether <see cref="Choice"/> would measure nothing.</summary>
    public static bool IsDecided => s_choice is not null || !IsMeasured || ProductRecord.Exists;

    /// <summary>Whether the choice is this program's, and not the user's.</summary>
    public static bool IsMeasured
        => Environment.GetEnvironmentVariable(EnvironmentVariable)?.ToLowerInvariant() is null or "" or "auto";

    /// <summary>LibTorch's BLAS: <c>mkl</c>, <c>blas</c> (another one) or <c>tensors</c> (its operators).</summary>
    public static string BlasName
        => LibTorch.FindExport("MKL_Get_Version_String") != 0 ? "mkl" : Sgemm != null ? "blas" : "tensors";

    /// <summary>
    /// Where nothing can be measured for good: our own wherever vectors are wide enough to pay for packing.
    /// </summary>
    public static ProductChoice Unmeasured
        => Vector256.IsHardwareAccelerated ? ProductChoice.Own : ProductChoice.Blas;

    /// <summary>What a value of the environment variable means; null for none.</summary>
    /// <exception cref="InvalidInputException">Nothing.</exception>
    public static ProductChoice Choose(string? setting) => setting?.ToLowerInvariant() switch
    {
        "own" => ProductChoice.Own,
        "blas" => ProductChoice.Blas,
        null or "" or "auto" => ProductRecord.FindOrMeasure() is { } record
            ? ProductMeasurement.Choose(record.Rates)
            : Unmeasured,
        _ => throw new InvalidInputException(
            $"{EnvironmentVariable} is '{Printable.Excerpt(setting)}'; it must be own, blas or auto."),
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
        var isOwn = m >= SmallestOwn && Choice.IsOwn(ProductChoice.ClassOf(transposeA, transposeB, m, n, k));
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
