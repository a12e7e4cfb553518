namespace AnTransformer.Architectures;

/// <summary>What the norm of an activation is expected to be.</summary>
/// <param name="Value">√E‖x‖².</param>
/// <param name="IsUpperBound">
/// Whether it is only bounded by that: a weighted mean of values is shorter than they are, by how much depends on how
/// many keys matter.
/// </param>
public sealed record Prediction(double Value, bool IsUpperBound = false)
{
    /// <summary>The longest that a value can be expected to be.</summary>
    /// <param name="value">√E‖x‖².</param>
    internal static Prediction AtMost(double value) => new(value, IsUpperBound: true);
}
