namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>A finished run, as a scaling law sees it.</summary>
/// <param name="Parameters">N, number of parameters; NaN in a table of compute and loss only.</param>
/// <param name="Tokens">D, number of training tokens; NaN in a table of compute and loss only.</param>
/// <param name="Compute">C, training compute in FLOP.</param>
/// <param name="Loss">L, final loss in nats per token (or any unit, the same in all rows).</param>
public sealed record ScalingPoint(double Parameters, double Tokens, double Compute, double Loss)
{
    /// <summary>Peak learning rate; NaN where unknown.</summary>
    public double LearningRate { get; init; } = double.NaN;

    /// <summary>Batch size in whatever unit the table has; NaN where unknown.</summary>
    public double BatchSize { get; init; } = double.NaN;

    /// <summary>What is fitted separately, such as an architecture; empty without groups.</summary>
    public string Group { get; init; } = "";

    /// <summary>C = 6 N D, the usual estimate of training compute (Kaplan et al. 2020, section 2.1).</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="loss">L.</param>
    public static ScalingPoint Of(double parameters, double tokens, double loss)
        => new(parameters, tokens, ScalingTable.FlopsPerParameterToken * parameters * tokens, loss);
}
