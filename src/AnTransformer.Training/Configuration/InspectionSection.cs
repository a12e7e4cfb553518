using System.ComponentModel;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>inspection</c> section.</summary>
public sealed class InspectionSection
{
    /// <summary>Steps between inspections.</summary>
    [Description(
        "Steps between inspections, the first one before any step, another one when the run is given up; 0 for none.")]
    [NotNegative]
    [MayChangeOnResume]
    public long Interval { get; set; }

    /// <summary>Sequences.</summary>
    [Description("Validation sequences to inspect the model on, the same ones each time.")]
    [InRange(1, 1 << 20)]
    [MayChangeOnResume]
    public int Sequences { get; set; } = 8;
}
