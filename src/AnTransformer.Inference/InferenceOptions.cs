namespace AnTransformer.Inference;

/// <summary>How a model is loaded for generation and scoring.</summary>
/// <param name="Dtype">What its matrices are packed to.</param>
/// <param name="Threads">Threads to compute with; 0 for one for each processor that this process may use.</param>
/// <param name="IsMapped">
/// Whether matrices that a file has in the dtype are read in its mapping, which starts at once and shares them with
/// other processes. Else they are copied to large pages, which decodes about a sixth faster.
/// </param>
public sealed record InferenceOptions(
    WeightDtype Dtype = WeightDtype.F32, int Threads = 0, bool IsMapped = true)
{
    /// <summary>Checks the ranges.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public void Validate()
    {
        if (Threads is < 0 or > Execution.ThreadTeam.Most)
        {
            throw new InvalidInputException(
                $"threads must lie between 0 (one for each processor) and {Execution.ThreadTeam.Most}, not {Threads}.");
        }

        if (!Enum.IsDefined(Dtype))
            throw new InvalidInputException($"the dtype of weights must be f32, bf16 or q8_0, not {Dtype}.");
    }
}
