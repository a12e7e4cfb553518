namespace AnTransformer.LlamaComparison;

/// <summary>The draw of both sides.</summary>
internal static class Greedy
{
    /// <summary>The most probable token; the first of ties.</summary>
    public static int Of(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }

        return best;
    }
}
