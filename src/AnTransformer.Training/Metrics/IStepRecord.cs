namespace AnTransformer.Training.Metrics;

/// <summary>A record that belongs to a step, so that a resumed run can drop those of later ones.</summary>
internal interface IStepRecord
{
    /// <summary>What such a record is called in errors.</summary>
    static abstract string Kind { get; }

    /// <summary>Optimizer steps taken.</summary>
    long Step { get; }
}
