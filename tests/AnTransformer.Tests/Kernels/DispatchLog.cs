using AnTransformer.Kernels;

namespace AnTransformer.Tests.Kernels;

/// <summary>Which operations ran on which path on this thread, and how often, while this object lives.</summary>
internal sealed class DispatchLog : IDisposable
{
    private readonly IDisposable _listening;
    private readonly Dictionary<(Operation Operation, DispatchPath Path), int> _counts = [];

    public DispatchLog() => _listening = Dispatch.Listen((operation, path) => _counts[(operation, path)] = _counts.GetValueOrDefault((operation, path)) + 1);

    /// <summary>Lines such as <c>Linear Fused 8</c>, sorted; of operations whose number follows from the others' the path alone.</summary>
    public IEnumerable<string> Lines => _counts
        .Select(item => $"{item.Key.Operation} {item.Key.Path}{(IsCounted(item.Key) ? $" {item.Value}" : "")}")
        .Order(StringComparer.Ordinal);

    public void Dispose() => _listening.Dispose();

    /// <summary>Runs something, and fails unless exactly these lines are seen; counts of 0 are left out of what is expected.</summary>
    public static void AssertRuns(Action action, params IEnumerable<string> expected)
    {
        using var log = new DispatchLog();
        action();
        Assert.Equal(expected.Where(line => !line.EndsWith(" 0", StringComparison.Ordinal)).Order(StringComparer.Ordinal), log.Lines);
    }

    private static bool IsCounted((Operation Operation, DispatchPath Path) key)
        => key.Operation != Operation.MatrixProduct && key.Path != DispatchPath.InPlace;
}
