namespace AnTransformer.Configuration;

/// <summary>
/// The shape of a block's attention: how many heads of which size, how many of them have keys and values of their own,
/// and what a query sees. With fewer key-value heads than heads, consecutive heads share one of them (grouped-query
/// attention, arXiv 2305.13245): head i attends to key-value head ⌊i / <see cref="GroupSize"/>⌋.
/// </summary>
/// <param name="Heads">H, the number of query heads.</param>
/// <param name="KeyValueHeads">K, the number of heads of keys and values; divides H.</param>
/// <param name="HeadSize">d_h, the width of a query, key and value; even, since rotary positions turn pairs.</param>
/// <param name="Causal">
/// Whether a query sees no later token (a decoder); false where it sees all tokens (an encoder).
/// </param>
/// <param name="Window">
/// How many tokens a query of causal attention sees, its own included (sliding window, arXiv 2310.06825, section 2);
/// null for all before it.
/// </param>
public sealed record AttentionShape(int Heads, int KeyValueHeads, int HeadSize, bool Causal = true, int? Window = null)
{
    /// <summary>H·d_h, the width of all queries and of W_o's input.</summary>
    public int QueryWidth => Heads * HeadSize;

    /// <summary>K·d_h, the width of all keys and of all values.</summary>
    public int KeyValueWidth => KeyValueHeads * HeadSize;

    /// <summary>(H + 2K)·d_h, the width of a token's queries, keys and values one after the other.</summary>
    public int ProjectedWidth => QueryWidth + (2 * KeyValueWidth);

    /// <summary>The window, or more than any context has.</summary>
    internal int Span => Window ?? int.MaxValue;

    /// <summary>H/K, the number of heads that share a key-value head.</summary>
    public int GroupSize => Heads / KeyValueHeads;
}
