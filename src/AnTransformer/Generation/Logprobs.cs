namespace AnTransformer.Generation;

/// <summary>Natural log-probabilities of a model's logits.</summary>
internal static class Logprobs
{
    /// <summary>A drawn token with its log-probability and those of the most probable ones.</summary>
    /// <param name="logits">Shape [V].</param>
    /// <param name="token">Which was drawn.</param>
    /// <param name="count">Number of alternatives.</param>
    /// <param name="usableIds">Alternatives are below this id; null for all.</param>
    public static DrawnToken Of(ReadOnlySpan<float> logits, int token, int count, int? usableIds = null)
    {
        double largest = logits[Sampler.ArgMax(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
            sum += Math.Exp(logit - largest);
        var logSum = largest + Math.Log(sum);
        // A queue of the best so far, the worst of them first; of equal ones the lower id is the better.
        var best = new PriorityQueue<int, (float Logit, int Id)>(count + 1);
        var ids = Math.Min(logits.Length, usableIds ?? logits.Length);
        for (var i = 0; i < ids && count > 0; i++)
        {
            if (best.Count == count && best.TryPeek(out _, out var worst) && logits[i] <= worst.Logit)
                continue;
            best.Enqueue(i, (logits[i], -i));
            if (best.Count > count)
                best.Dequeue();
        }

        var alternatives = new TokenLogprob[best.Count];
        for (var i = alternatives.Length - 1; i >= 0; i--)
        {
            var id = best.Dequeue();
            alternatives[i] = new TokenLogprob(id, logits[id] - logSum);
        }

        return new DrawnToken(token, logits[token] - logSum, alternatives);
    }
}
