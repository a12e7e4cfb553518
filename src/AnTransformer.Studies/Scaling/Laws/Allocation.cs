namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>A compute-optimal model.</summary>
/// <param name="Compute">C in FLOP.</param>
/// <param name="Parameters">N_opt.</param>
/// <param name="Tokens">D_opt.</param>
/// <param name="Loss">Predicted loss.</param>
public sealed record Allocation(double Compute, double Parameters, double Tokens, double Loss)
{
    /// <summary>D_opt / N_opt.</summary>
    public double TokensPerParameter => Tokens / Parameters;
}
