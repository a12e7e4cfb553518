using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Optimization;

namespace AnTransformer.Training.Configuration;

/// <summary>The range a number must lie in, bounds included unless excluded. An infinite bound is no bound.</summary>
/// <param name="lowest">Smallest legal value.</param>
/// <param name="highest">Largest legal value.</param>
[AttributeUsage(AttributeTargets.Property)]
public class InRangeAttribute(double lowest, double highest) : Attribute
{
    /// <summary>Smallest legal value, or the bound below all of them.</summary>
    public double Lowest { get; } = lowest;

    /// <summary>Largest legal value, or the bound above all of them.</summary>
    public double Highest { get; } = highest;

    /// <summary>Whether <see cref="Lowest"/> itself is illegal.</summary>
    public bool ExcludesLowest { get; set; }

    /// <summary>Whether <see cref="Highest"/> itself is illegal.</summary>
    public bool ExcludesHighest { get; set; }

    /// <summary>Whether a number is legal.</summary>
    /// <param name="value">A number; NaN never is.</param>
    public bool Contains(double value)
        => (ExcludesLowest ? value > Lowest : value >= Lowest)
            && (ExcludesHighest ? value < Highest : value <= Highest);

    /// <summary>
    /// The range in words that fit behind "a number": "greater than 0", "at least 0 and less than 1".
    /// </summary>
    public override string ToString()
    {
        var low = double.IsInfinity(Lowest) ? null : $"{(ExcludesLowest ? "greater than" : "at least")} {Text(Lowest)}";
        var high = double.IsInfinity(Highest) ? null : $"{(ExcludesHighest ? "less than" : "at most")} {Text(Highest)}";
        return string.Join(" and ", new[] { low, high }.Where(bound => bound is not null));
    }

    private static string Text(double bound)
        => bound == Math.Floor(bound) && Math.Abs(bound) < 1e15
            ? ((long)bound).ToString(CultureInfo.InvariantCulture)
            : bound.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
}

/// <summary>A number that must be greater than zero.</summary>
public sealed class PositiveAttribute : InRangeAttribute
{
    /// <summary>Creates the attribute.</summary>
    public PositiveAttribute()
        : base(0, double.PositiveInfinity) => ExcludesLowest = true;
}

/// <summary>A number that must be zero or greater.</summary>
public sealed class NotNegativeAttribute() : InRangeAttribute(0, double.PositiveInfinity);

/// <summary>The legal values of a text field whose list others may extend; a fixed list is an enum.</summary>
/// <param name="values">The values.</param>
[AttributeUsage(AttributeTargets.Property)]
public class OneOfAttribute(params string[] values) : Attribute
{
    /// <summary>The values.</summary>
    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>
/// The form that a text field's value has, for the schema; the section that it is of refuses others, in a sentence of
/// its own.
/// </summary>
/// <param name="pattern">A regular expression that JSON Schema and .NET read alike.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MatchesAttribute(string pattern) : Attribute
{
    /// <summary>The regular expression.</summary>
    public string Pattern { get; } = pattern;
}

/// <summary>A text field that names an architecture.</summary>
public sealed class ArchitectureNameAttribute() : OneOfAttribute([.. ArchitectureRegistry.Names]);

/// <summary>A text field that names an update rule of the optimizer.</summary>
public sealed class UpdateRuleNameAttribute() : OneOfAttribute([.. UpdateRuleRegistry.Names]);

/// <summary>What configuration a <see cref="ConfigurationPatch"/> has fields of.</summary>
/// <param name="configuration">A configuration class.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class PatchOfAttribute(Type configuration) : Attribute
{
    /// <summary>The configuration class.</summary>
    public Type Configuration { get; } = configuration;
}

/// <summary>
/// Marks a field that may differ between a checkpoint and the run that resumes from it: it says where and how long to
/// work or what to report, not what is learned.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class MayChangeOnResumeAttribute : Attribute;
