namespace AnTransformer.Studies.Statistics;

/// <summary>
/// Resamples rows with replacement. A resample is how often each row counts, so that nothing is copied.
/// </summary>
internal static class RowBootstrap
{
    /// <summary>
    /// Fits resamples. Resample i has a random sequence of its own, so that the number of resamples and of threads
    /// changes none of them.
    /// </summary>
    /// <param name="rows">Number of rows.</param>
    /// <param name="resamples">Number of resamples.</param>
    /// <param name="seed">Seed of the first; the others follow from it.</param>
    /// <param name="fit">Fits the rows counted as the weights say; null where that fails.</param>
    /// <param name="cancellation">Stops between resamples.</param>
    public static TLaw?[] Run<TLaw>(
        int rows, int resamples, int seed, Func<double[], TLaw?> fit, CancellationToken cancellation = default)
        where TLaw : class
    {
        var laws = new TLaw?[resamples];
        Parallel.For(
            0, resamples, new ParallelOptions { CancellationToken = cancellation },
            i => laws[i] = fit(Weights(rows, Mix(seed, i))));
        return laws;
    }

    private static double[] Weights(int rows, int seed)
    {
        var random = new Random(seed);
        var weights = new double[rows];
        for (var draw = 0; draw < rows; draw++)
            weights[random.Next(rows)]++;
        return weights;
    }

    /// <summary>Seeds far apart for neighbouring resamples and seeds (the finalizer of SplitMix64).</summary>
    private static int Mix(int seed, int index)
    {
        var x = (((ulong)(uint)seed << 32) | (uint)index) + 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return (int)(x ^ (x >> 31));
    }
}
