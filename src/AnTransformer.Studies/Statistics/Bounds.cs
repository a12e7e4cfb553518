namespace AnTransformer.Studies.Statistics;

/// <summary>What is known of a quantity that could not be measured: on which side of a value it lies.</summary>
[Flags]
public enum Bounds
{
    /// <summary>Measured: the value is the quantity's own.</summary>
    None = 0,

    /// <summary>The quantity is at least the value.</summary>
    AtLeast = 1,

    /// <summary>The quantity is at most the value.</summary>
    AtMost = 2,

    /// <summary>A mean of values of which some are too low and others too high, so that it bounds nothing.</summary>
    Both = AtLeast | AtMost,
}
