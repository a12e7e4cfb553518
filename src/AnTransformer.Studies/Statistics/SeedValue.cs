namespace AnTransformer.Studies.Statistics;

/// <summary>What the runs of one seed say of a positive quantity.</summary>
/// <param name="Value">The quantity, or what bounds it.</param>
/// <param name="Bounds">Whether it is a bound.</param>
/// <param name="IsExtrapolated">Whether it lies beyond what was run.</param>
public readonly record struct SeedValue(double Value, Bounds Bounds = Bounds.None, bool IsExtrapolated = false)
{
    /// <summary>The value of a multiple.</summary>
    /// <param name="factor">A positive factor.</param>
    public SeedValue Times(double factor) => this with { Value = Value * factor };

    /// <summary>A positive number over the value: what bounds the one from below bounds the other from above.</summary>
    /// <param name="numerator">A positive number.</param>
    internal SeedValue Divide(double numerator) => this with
    {
        Value = numerator / Value,
        Bounds = Bounds switch { Bounds.AtLeast => Bounds.AtMost, Bounds.AtMost => Bounds.AtLeast, var other => other },
    };
}
