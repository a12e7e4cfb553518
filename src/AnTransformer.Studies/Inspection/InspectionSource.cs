using AnTransformer.Inspection;

namespace AnTransformer.Studies.Inspection;

/// <summary>Where an inspection's figures come from; a report that does not say so cannot be repeated.</summary>
/// <param name="Checkpoint">The checkpoint's directory.</param>
/// <param name="InitialSeed">
/// The seed of fresh weights in place of the checkpoint's; null for the checkpoint's own.
/// </param>
/// <param name="Data">What was read.</param>
/// <param name="Sequences">Sequences measured on.</param>
/// <param name="ComputeDtype">Precision of matrix products.</param>
/// <param name="Command">The command that was given.</param>
public sealed record InspectionSource(
    string Checkpoint, long? InitialSeed, string Data, long Sequences, string ComputeDtype, string Command)
{
    /// <summary>One line that says what was measured.</summary>
    /// <param name="inspection">The figures.</param>
    public string Describe(ModelInspection inspection)
    {
        var config = inspection.Config;
        var weights = InitialSeed is { } seed
            ? $"initial weights of seed {seed} in the shape of {Checkpoint}"
            : Checkpoint;
        return $"{config.Architecture}, d = {config.HiddenSize}, L = {config.NumHiddenLayers}, H = "
            + $"{config.NumAttentionHeads}, "
            + $"f = {config.IntermediateSize}: {weights}; {Sequences} sequences, {inspection.Tokens} tokens of {Data}, "
            + $"loss {inspection.Loss:f4}";
    }
}
