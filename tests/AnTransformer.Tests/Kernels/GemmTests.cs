using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>Matrix products of our own, of the BLAS and through tensors, against each other on awkward sizes.</summary>
public sealed unsafe class GemmTests
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 1, 40, 7 }, { 9, 33, 257 }, { 8, 32, 256 }, { 65, 31, 300 }, { 300, 70, 513 }, { 130, 129, 20 }, { 7, 500, 64 },
    };

    public static TheoryData<string, int, int, int> SizesOfEachWidth
    {
        get
        {
            var cases = new TheoryData<string, int, int, int>();
            foreach (var width in new[] { "512", "256", "128", "scalar" })
            {
                foreach (var (m, n, k) in Sizes.Select(size => size.Data))
                    cases.Add(width, m, n, k);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(SizesOfEachWidth))]
    public void A_product_of_our_own_equals_LibTorchs(string width, int m, int n, int k)
    {
        // Vectors that the processor does not have are computed in parts; all code runs on all machines.
        BlockedGemm gemm = width switch
        {
            "512" => new BlockedGemm<Simd512>(),
            "256" => new BlockedGemm<Simd256>(),
            "128" => new BlockedGemm<Simd128>(),
            _ => new BlockedGemm<SimdScalar>(),
        };
        AssertProducts(m, n, k, gemm.Multiply);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Products_by_the_BLAS_equal_LibTorchs(int m, int n, int k) => AssertProducts(m, n, k, Gemm.MultiplyByBlas);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Products_through_tensors_equal_LibTorchs(int m, int n, int k) => AssertProducts(m, n, k, Gemm.MultiplyTensors);

    private delegate void Product(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb, float beta, float* c, long ldc);

    /// <summary>All transpositions, rows with gaps between them, with and without adding; memory around the result stays as it was.</summary>
    private static void AssertProducts(int m, int n, int k, Product multiply)
    {
        using var scope = NewDisposeScope();
        foreach (var (transposeA, transposeB) in new[] { (false, false), (false, true), (true, false), (true, true) })
        {
            foreach (var beta in new[] { 0f, 1f })
            {
                var a = transposeA ? randn(k, m + 3) : randn(m, k + 3);
                var b = transposeB ? randn(n, k + 5) : randn(k, n + 5);
                var c = randn(m, n + 2);
                var expected = c.clone();
                var first = transposeA ? a[.., ..m].t() : a[.., ..k];
                var second = transposeB ? b[.., ..k].t() : b[.., ..n];
                expected[.., ..n] = (beta * expected[.., ..n]) + (0.5 * first.mm(second));
                multiply(transposeA, transposeB, m, n, k, 0.5f, At(a), a.shape[1], At(b), b.shape[1], beta, At(c), n + 2);
                var error = (expected - c).abs().max().item<float>();
                Assert.True(error < 1e-5 * Math.Sqrt(k) * 3, $"{transposeA} {transposeB} {beta}: differs by {error}");
            }
        }
    }

    private static float* At(Tensor tensor) => TensorMemory.Floats(tensor);
}
