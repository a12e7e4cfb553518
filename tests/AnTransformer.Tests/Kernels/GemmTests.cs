using System.Runtime.Intrinsics;
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

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_product_of_our_own_equals_LibTorchs(int m, int n, int k)
    {
        Assert.SkipUnless(Vector512.IsHardwareAccelerated, "this processor has no AVX-512");
        AssertProducts(m, n, k, BlockedGemm.Multiply);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Products_by_the_BLAS_equal_LibTorchs(int m, int n, int k) => AssertProducts(m, n, k, Gemm.MultiplyByBlas);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Products_through_tensors_equal_LibTorchs(int m, int n, int k) => AssertProducts(m, n, k, Gemm.MultiplyTensors);

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        Assert.SkipUnless(Vector512.IsHardwareAccelerated, "this processor has no AVX-512");
        using var scope = NewDisposeScope();
        var (a, b) = (randn(200, 300), randn(300, 170));
        var threads = get_num_threads();
        var results = new List<Tensor>();
        try
        {
            foreach (var count in new[] { 1, 2, 3 })
            {
                set_num_threads(count);
                var c = zeros(200, 170);
                BlockedGemm.Multiply(false, false, 200, 170, 300, 1, At(a), 300, At(b), 170, 0, At(c), 170);
                results.Add(c);
            }
        }
        finally
        {
            set_num_threads(threads);
        }

        Assert.All(results, result => Assert.True(result.equal(results[0]).all().item<bool>()));
    }

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
