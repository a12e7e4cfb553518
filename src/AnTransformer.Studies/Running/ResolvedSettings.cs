using System.Globalization;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Running;

/// <summary>
/// All settings that decide a run's outcome, with the values that fields left to the architecture have taken. Defaults
/// may change with the software, and a run of others must not be taken for one of these.
/// </summary>
internal static class ResolvedSettings
{
    public static SortedDictionary<string, string> Of(PlannedRun run)
        => new(
            RunFingerprint.Settings(ResolvedConfiguration.Of(run.Configuration)).ToDictionary(),
            StringComparer.Ordinal);

    /// <summary>The first field that both know and have different values of, or null.</summary>
    public static string? Difference(
        IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now)
        => before.Where(item => now.TryGetValue(item.Key, out var value) && !AreEqual(value, item.Value))
            .Select(item => $"{Printable.Excerpt(item.Key)}: {Printable.Change(item.Value, now[item.Key])}")
            .FirstOrDefault();

    // Numbers have been written in several ways: 1E-06, 1.0e-06.
    private static bool AreEqual(string a, string b)
        => a == b || (double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var x)
            && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out var y) && x.Equals(y));
}
