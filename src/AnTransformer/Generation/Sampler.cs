namespace AnTransformer.Generation;

/// <summary>
/// Draws tokens from logits: repetition penalty, temperature, top-k, top-p (nucleus), min-p, in the order in which
/// Hugging Face's generation applies them. Buffers stay from one draw to the next.
/// </summary>
/// <param name="options">Valid options.</param>
public sealed class Sampler(SamplingOptions options)
{
    private readonly Random _random = new(options.Seed);
    private readonly HashSet<int> _seen = [];
    private float[] _logits = [];
    private double[] _weights = [];
    private int[] _ids = [];

    /// <summary>
    /// Tells of a token of the prompt or the text so far, which the repetition penalty will make less likely.
    /// </summary>
    /// <param name="token">Its id.</param>
    public void Observe(int token)
    {
        if (options.RepetitionPenalty != 1)
            _seen.Add(token);
    }

    /// <summary>Draws one token. The same seed, logits and observed tokens give the same draws.</summary>
    /// <param name="logits">Shape [V].</param>
    public int Next(ReadOnlySpan<float> logits)
    {
        logits = Penalized(logits);
        var best = ArgMax(logits);
        if (options.Temperature == 0)
            return best;

        if (_ids.Length != logits.Length)
            (_ids, _weights) = (new int[logits.Length], new double[logits.Length]);
        for (var i = 0; i < _ids.Length; i++)
        {
            _ids[i] = i;
            // Negated so that an ascending sort puts the most probable first; ties keep the lower id first.
            _weights[i] = -Math.Exp((logits[i] - logits[best]) / options.Temperature);
        }

        var kept = _ids.Length;
        if (options.TopK > 0 || options.TopP < 1 || options.MinP > 0)
        {
            Array.Sort(_ids, ByWeight);
            if (options.TopK > 0)
                kept = Math.Min(kept, options.TopK);
            kept = WithinMinimum(Nucleus(kept));
        }

        var target = _random.NextDouble() * Total(kept);
        for (var i = 0; i < kept; i++)
        {
            target += _weights[_ids[i]];
            if (target < 0)
                return _ids[i];
        }

        return _ids[kept - 1];
    }

    /// <summary>The most probable token; the first of ties.</summary>
    /// <param name="logits">Shape [V].</param>
    internal static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }

        return best;
    }

    private int ByWeight(int a, int b)
        => _weights[a] != _weights[b] ? _weights[a].CompareTo(_weights[b]) : a.CompareTo(b);

    private ReadOnlySpan<float> Penalized(ReadOnlySpan<float> logits)
    {
        if (_seen.Count == 0)
            return logits;
        if (_logits.Length != logits.Length)
            _logits = new float[logits.Length];
        logits.CopyTo(_logits);
        var penalty = (float)options.RepetitionPenalty;
        foreach (var token in _seen)
        {
            // A prompt may have tokens that are not drawn.
            if (token < _logits.Length)
                _logits[token] = _logits[token] < 0 ? _logits[token] * penalty : _logits[token] / penalty;
        }

        return _logits;
    }

    private double Total(int count)
    {
        var total = 0.0;
        for (var i = 0; i < count; i++)
            total -= _weights[_ids[i]];
        return total;
    }

    private int Nucleus(int count)
    {
        var (total, reached) = (Total(count), 0.0);
        for (var i = 0; i < count; i++)
        {
            reached -= _weights[_ids[i]];
            if (reached >= options.TopP * total)
                return i + 1;
        }

        return count;
    }

    /// <summary>Those of the first ones that min-p leaves; the first one always.</summary>
    private int WithinMinimum(int count)
    {
        var kept = 1;
        while (kept < count && _weights[_ids[kept]] <= options.MinP * _weights[_ids[0]])
            kept++;
        return kept;
    }
}
