namespace AnTransformer.Generation;

/// <summary>
/// Draws tokens from logits: temperature, then top-k, then top-p (nucleus), as Hugging Face's generation does.
/// </summary>
/// <param name="options">Valid options.</param>
public sealed class Sampler(SamplingOptions options)
{
    private readonly Random _random = new(options.Seed);

    /// <summary>Draws one token. The same seed and logits give the same draws.</summary>
    /// <param name="logits">Shape [V].</param>
    public int Next(ReadOnlySpan<float> logits)
    {
        if (options.Temperature == 0)
            return ArgMax(logits);

        var ids = new int[logits.Length];
        var weights = new double[logits.Length];
        var max = logits[ArgMax(logits)];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = i;
            // Negated so that an ascending sort puts the most probable first; ties keep the lower id first.
            weights[i] = -Math.Exp((logits[i] - max) / options.Temperature);
        }

        var kept = ids.Length;
        if (options.TopK > 0 || options.TopP < 1)
        {
            Array.Sort(ids, (a, b) => weights[a] != weights[b] ? weights[a].CompareTo(weights[b]) : a.CompareTo(b));
            if (options.TopK > 0)
                kept = Math.Min(kept, options.TopK);
            kept = Nucleus(ids, weights, kept);
        }

        var total = 0.0;
        for (var i = 0; i < kept; i++)
            total -= weights[ids[i]];
        var target = _random.NextDouble() * total;
        for (var i = 0; i < kept; i++)
        {
            target += weights[ids[i]];
            if (target < 0)
                return ids[i];
        }

        return ids[kept - 1];
    }

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }

        return best;
    }

    private int Nucleus(int[] ids, double[] weights, int count)
    {
        var total = 0.0;
        for (var i = 0; i < count; i++)
            total -= weights[ids[i]];
        var reached = 0.0;
        for (var i = 0; i < count; i++)
        {
            reached -= weights[ids[i]];
            if (reached >= options.TopP * total)
                return i + 1;
        }

        return count;
    }
}
