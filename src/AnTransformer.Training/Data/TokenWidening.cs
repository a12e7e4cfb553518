namespace AnTransformer.Training.Data;

/// <summary>
/// Widens token ids to the integer types that models take. Plain loops: a batch is some 10⁵ tokens, and the model's
/// step on it takes longer by orders of magnitude.
/// </summary>
internal static class TokenWidening
{
    public static void Widen(ReadOnlySpan<ushort> source, Span<int> destination)
    {
        for (var i = 0; i < source.Length; i++)
            destination[i] = source[i];
    }

    public static void Widen(ReadOnlySpan<ushort> source, Span<long> destination)
    {
        for (var i = 0; i < source.Length; i++)
            destination[i] = source[i];
    }

    public static void Widen(ReadOnlySpan<uint> source, Span<long> destination)
    {
        for (var i = 0; i < source.Length; i++)
            destination[i] = source[i];
    }
}
