using System.Numerics;

namespace AnTransformer.Training.Data;

/// <summary>Finds token ids outside a vocabulary, vectorised.</summary>
internal static class TokenRange
{
    /// <summary>Index of the first id that is not below <paramref name="vocabularySize"/>, or -1.</summary>
    public static int IndexOutside(ReadOnlySpan<ushort> ids, int vocabularySize) =>
        vocabularySize > ushort.MaxValue ? -1 : IndexAbove(ids, (ushort)(vocabularySize - 1));

    /// <inheritdoc cref="IndexOutside(ReadOnlySpan{ushort}, int)"/>
    public static int IndexOutside(ReadOnlySpan<uint> ids, int vocabularySize)
        => IndexAbove(ids, (uint)(vocabularySize - 1));

    private static int IndexAbove<T>(ReadOnlySpan<T> ids, T largest)
        where T : unmanaged, INumber<T>
    {
        var i = 0;
        var limit = new Vector<T>(largest);
        while (i <= ids.Length - Vector<T>.Count && !Vector.GreaterThanAny(new Vector<T>(ids[i..]), limit))
            i += Vector<T>.Count;
        for (; i < ids.Length; i++)
        {
            if (ids[i] > largest)
                return i;
        }
        return -1;
    }
}
