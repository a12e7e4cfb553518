namespace AnTransformer.Training.Configuration;

/// <summary>A field in which two configurations differ.</summary>
/// <param name="Key">The dotted key.</param>
/// <param name="Before">Its value in the first, as YAML.</param>
/// <param name="After">Its value in the second, as YAML.</param>
/// <param name="MayChangeOnResume">Whether a run may resume all the same.</param>
public sealed record ConfigurationDifference(string Key, string Before, string After, bool MayChangeOnResume)
{
    /// <summary><c>optimizer.learning_rate: 0.001 → 0.002</c>; long values are cut.</summary>
    public override string ToString() => $"{Key}: {Printable.Change(Before, After)}";
}
