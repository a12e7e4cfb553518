using System.Diagnostics;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Native;
using static TorchSharp.torch;

namespace AnTransformer.Benchmarks;

/// <summary>
/// Matrix products of our own against LibTorch's BLAS, interleaved, on the shapes of a training step: medians in GFLOP/s, with the
/// largest difference of the results beside them.
/// </summary>
internal static unsafe class ProductBenchmark
{
    private const int Rounds = 15;
    private const int WarmupRounds = 3;

    public static int Run(string[] sizes)
    {
        LibTorch.EnsureLoaded();
        var (tokens, d, vocabulary) = sizes is [var first, var second, var third]
            ? (long.Parse(first), long.Parse(second), long.Parse(third))
            : (4096, 256, 4096);
        var f = 4 * d;
        Console.WriteLine($"{tokens} tokens, d = {d}, V = {vocabulary}, {get_num_threads()} threads; GFLOP/s, medians of {Rounds} interleaved products");
        Console.WriteLine($"{"product",-16}{"m x n x k",-20}{"ours",8}{"BLAS",8}{"ratio",8}{"difference",12}");
        Map("q, k, v", tokens, 3 * d, d);
        Map("attention out", tokens, d, d);
        Map("gate, up", tokens, 2 * f, d);
        Map("down", tokens, d, f);
        Map("head", Math.Min(tokens, 1024), vocabulary, d);
        return 0;
    }

    /// <summary>The three products of a linear map [out, in].</summary>
    private static void Map(string name, long tokens, long outputs, long inputs)
    {
        Compare(name, false, true, tokens, outputs, inputs);
        Compare("  input grad", false, false, tokens, inputs, outputs);
        Compare("  matrix grad", true, false, outputs, inputs, tokens);
    }

    private static void Compare(string name, bool transposeA, bool transposeB, long m, long n, long k)
    {
        using var scope = NewDisposeScope();
        var (a, b, ours, theirs) = (Random(m, k), Random(k, n), Random(m, n), Random(m, n));
        var (lda, ldb) = (transposeA ? m : k, transposeB ? k : n);
        var (own, blas) = (new List<double>(), new List<double>());
        for (var round = -WarmupRounds; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            BlockedGemm.Instance.Multiply(transposeA, transposeB, m, n, k, 1, At(a), lda, At(b), ldb, 0, At(ours), n);
            var middle = Stopwatch.GetTimestamp();
            Gemm.MultiplyByBlas(transposeA, transposeB, m, n, k, 1, At(a), lda, At(b), ldb, 0, At(theirs), n);
            if (round < 0)
                continue;
            own.Add(Stopwatch.GetElapsedTime(start, middle).TotalSeconds);
            blas.Add(Stopwatch.GetElapsedTime(middle).TotalSeconds);
        }

        var work = 2.0 * m * n * k / 1e9;
        var difference = (ours - theirs).abs().max().item<float>() / theirs.abs().max().item<float>();
        Console.WriteLine(
            $"{name,-16}{$"{m} x {n} x {k}",-20}{work / Median(own),8:f0}{work / Median(blas),8:f0}{Median(blas) / Median(own),8:f2}{difference,12:e1}");
    }

    private static Tensor Random(long rows, long columns)
    {
        var tensor = BufferPool.Empty(rows, columns);
        return tensor.normal_();
    }

    private static float* At(Tensor tensor) => TensorMemory.Floats(tensor);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
