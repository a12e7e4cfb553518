using System.Runtime.InteropServices;

namespace AnTransformer.Distributed;

/// <summary>Numbers next to each other in a buffer.</summary>
/// <param name="First">Index of the first one.</param>
/// <param name="Count">How many.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct BufferSegment(long First, long Count)
{
    /// <summary>Index behind the last one.</summary>
    public long End => First + Count;

    /// <summary>Those of a stretch of the segments' numbers, seen as one row.</summary>
    /// <param name="segments">In order.</param>
    /// <param name="first">Where the stretch begins.</param>
    /// <param name="count">How long it is; what is behind the last segment has none.</param>
    internal static IEnumerable<BufferSegment> Stretch(IEnumerable<BufferSegment> segments, long first, long count)
    {
        var (at, end) = (0L, first + count);
        foreach (var segment in segments)
        {
            var (from, to) = (Math.Max(first, at), Math.Min(end, at + segment.Count));
            if (from < to)
                yield return new BufferSegment(segment.First + from - at, to - from);
            at += segment.Count;
        }
    }
}
