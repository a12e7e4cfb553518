namespace AnTransformer.Training.Configuration;

/// <summary>The range a number must lie in, bounds included.</summary>
/// <param name="lowest">Smallest legal value.</param>
/// <param name="highest">Largest legal value.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class InRangeAttribute(double lowest, double highest) : Attribute
{
    /// <summary>Smallest legal value.</summary>
    public double Lowest { get; } = lowest;

    /// <summary>Largest legal value.</summary>
    public double Highest { get; } = highest;
}

/// <summary>The legal values of a text field.</summary>
/// <param name="values">The values, in lower case.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class OneOfAttribute(params string[] values) : Attribute
{
    /// <summary>The values, in lower case.</summary>
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>Marks a field that may differ between a checkpoint and the run that resumes from it, since it leaves the result alone.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MayChangeOnResumeAttribute : Attribute;
