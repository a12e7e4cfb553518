namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>
/// Which columns of a table hold what. A column that is not named is looked for under its usual name. With compute
/// given, one of parameters and tokens may be absent: it follows from C = 6 N D.
/// </summary>
public sealed record ScalingColumns
{
    /// <summary>N; null for <c>params</c>.</summary>
    public string? Parameters { get; init; }

    /// <summary>D; null for <c>tokens</c>.</summary>
    public string? Tokens { get; init; }

    /// <summary>L.</summary>
    public string Loss { get; init; } = "loss";

    /// <summary>C in FLOP; null for 6 N D.</summary>
    public string? Flops { get; init; }

    /// <summary>Peak learning rate; null for none.</summary>
    public string? LearningRate { get; init; }

    /// <summary>Batch size; null for none.</summary>
    public string? BatchSize { get; init; }

    /// <summary>What to fit separately; null for all rows together.</summary>
    public string? Group { get; init; }
}
