using System.Diagnostics;
using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <summary>Times both implementations of a matrix product on a shape of each class, in turns.</summary>
internal static unsafe class ProductMeasurement
{
    private const int Rounds = 15;
    private const int FewestRounds = 3;

    // On a slow machine differences are seen in fewer rounds, which take long.
    private const double MostSeconds = 0.3;

    // After so many calls the runtime compiles a method again, better, on another thread.
    private const int CallsUntilOptimized = 40;
    private const int MillisecondsOfCompiling = 250;

    // Our own sums in one order for any number of threads, so that it is kept where the BLAS is hardly faster.
    private const double BlasMustGain = 1.03;

    /// <summary>Measures; about a second.</summary>
    /// <returns>GFLOP/s of both for each class, in the order of <see cref="ProductChoice.ClassNames"/>.</returns>
    public static IReadOnlyList<ProductRates> Run()
    {
        WarmUp();
        var rates = new List<ProductRates>();
        foreach (var (transposeA, transposeB) in new[] { (false, true), (false, false), (true, false) })
        {
            // [tokens, in] and [in, out] of a linear map, its input's gradient, its matrix's gradient.
            foreach (var (tokens, inputs, outputs) in new[] { (2048L, 64L, 256L), (2048L, 256L, 1024L) })
            {
                var (m, n, k) = transposeA ? (outputs, inputs, tokens)
                    : transposeB ? (tokens, outputs, inputs)
                    : (tokens, inputs, outputs);
                rates.Add(Product(transposeA, transposeB, m, n, k));
            }
        }

        rates.Add(Attention());
        return rates;
    }

    /// <summary>Chooses by rates.</summary>
    /// <param name="rates">Of each class.</param>
    public static ProductChoice Choose(IReadOnlyList<ProductRates> rates)
    {
        var own = 0;
        for (var i = 0; i < rates.Count; i++)
            own |= rates[i].Blas < BlasMustGain * rates[i].Own ? 1 << i : 0;
        return new ProductChoice(own);
    }

    private static void WarmUp()
    {
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var (transposeA, transposeB) in new[] { (false, true), (false, false), (true, false) })
            {
                for (var i = 0; i < CallsUntilOptimized; i += Rounds)
                    Product(transposeA, transposeB, 96, 64, 64);
            }

            Attention();
            Thread.Sleep(MillisecondsOfCompiling);
        }
    }

    private static ProductRates Product(bool transposeA, bool transposeB, long m, long n, long k)
    {
        using var memory = BufferPool.Rent((m * k) + (k * n) + (m * n));
        float* a = memory.Pointer, b = a + (m * k), c = b + (k * n);
        new Span<float>(a, checked((int)((m * k) + (k * n)))).Fill(0.5f);
        var (lda, ldb) = (transposeA ? m : k, transposeB ? k : n);
        return Compare(
            2.0 * m * n * k,
            () => BlockedGemm.Instance.Multiply(transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, n),
            () => Gemm.MultiplyByBlas(transposeA, transposeB, m, n, k, 1, a, lda, b, ldb, 0, c, n));
    }

    private static ProductRates Attention()
    {
        const int length = 256, headSize = 64, heads = 8;
        var shape = new AttentionShape(1, 1, headSize, Causal: true);
        long rows = (long)length * headSize;
        var scratch = Math.Max(
            AttentionHead.ByTiles.BackwardScratch(length, shape), AttentionHead.ByBlas.BackwardScratch(length, shape));
        var size = (8 * rows) + length + scratch;
        using var memory = BufferPool.Rent(size);
        var q = memory.Pointer;
        new Span<float>(q, checked((int)size)).Fill(0.1f);
        // Half of the scores, 2 products forward and 5 back.
        return Compare(
            heads * 7.0 * length * length * headSize, () => Run(AttentionHead.ByTiles),
            () => Run(AttentionHead.ByBlas));

        void Run(AttentionHead head)
        {
            float* k = q + rows, v = k + rows, y = v + rows, dy = y + rows, dq = dy + rows, dk = dq + rows;
            float* dv = dk + rows, sums = dv + rows, free = sums + length;
            for (var i = 0; i < heads; i++)
            {
                head.Forward(q, k, v, headSize, y, headSize, sums, length, shape, free);
                head.Backward(q, k, v, headSize, dy, headSize, sums, dq, dk, dv, add: false, length, shape, free);
            }
        }
    }

    private static ProductRates Compare(double operations, Action own, Action blas)
    {
        // The best of some rounds in turns: what else runs on the machine only ever takes time away.
        var (ownSeconds, blasSeconds) = (double.MaxValue, double.MaxValue);
        var begin = Stopwatch.GetTimestamp();
        for (var round = 0; round < Rounds; round++)
        {
            if (round >= FewestRounds && Stopwatch.GetElapsedTime(begin).TotalSeconds > MostSeconds)
                break;
            var start = Stopwatch.GetTimestamp();
            own();
            var middle = Stopwatch.GetTimestamp();
            blas();
            ownSeconds = Math.Min(ownSeconds, Stopwatch.GetElapsedTime(start, middle).TotalSeconds);
            blasSeconds = Math.Min(blasSeconds, Stopwatch.GetElapsedTime(middle).TotalSeconds);
        }

        return new ProductRates(Rate(ownSeconds), Rate(blasSeconds));

        double Rate(double seconds) => Math.Round(operations / seconds / 1e9, 1);
    }
}

/// <summary>Rates of a class of products.</summary>
/// <param name="Own">GFLOP/s of our own.</param>
/// <param name="Blas">GFLOP/s of the BLAS.</param>
internal sealed record ProductRates(double Own, double Blas);
