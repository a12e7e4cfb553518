using AnTransformer.Architectures;
using AnTransformer.Distributed;

namespace AnTransformer.Optimization;

/// <summary>The parts of a model's flat buffer that are complete before a backward pass has ended.</summary>
internal static class AnnouncedSegments
{
    /// <summary>By the numbers of <see cref="LanguageModel.GradientsReady"/>; null for nothing.</summary>
    /// <param name="model">The model.</param>
    public static IReadOnlyList<BufferSegment?> Of(LanguageModel model)
    {
        var offsets = model.Store.Parameters.ToDictionary(
            item => item.Parameter.Handle, item => (First: item.Offset, End: item.Offset + item.Parameter.numel()));
        return [.. model.AnnouncedParameters().Select(parameters =>
        {
            var ranges = parameters.Select(parameter => offsets[parameter.Handle]).ToList();
            var first = ranges.Count == 0 ? 0 : ranges.Min(range => range.First);
            return ranges.Count == 0
                ? (BufferSegment?)null
                : new BufferSegment(first, ranges.Max(range => range.End) - first);
        })];
    }
}
