using AnTransformer.Cli.Commands;
using AnTransformer.Training.Benchmarking;

namespace AnTransformer.Cli.Benchmarking.Generation;

/// <summary>What <c>angpt bench generate</c> found of one contestant.</summary>
/// <param name="Name">Checkpoint or architecture.</param>
/// <param name="Dtype">What its weights were packed to.</param>
/// <param name="PrefillTokensPerSecond">Reading a text at once.</param>
/// <param name="DecodeTokensPerSecond">By number of sequences, of all of them together.</param>
/// <param name="BytesPerToken">Weights that a token of one sequence reads.</param>
/// <param name="BandwidthShare">
/// Bytes of weights per second of decoding one sequence over the bandwidth measured in the same round.
/// </param>
/// <param name="PackedBytes">Weights outside the file's mapping.</param>
/// <param name="CacheBytes">Keys and values of one sequence.</param>
/// <param name="ProcessSeconds">A new process, from its start to its end, that scores a token after a short prompt;
/// null where not measured.</param>
internal sealed record GenerationBenchLine(
    string Name,
    string Dtype,
    Spread PrefillTokensPerSecond,
    IReadOnlyDictionary<int, Spread> DecodeTokensPerSecond,
    long BytesPerToken,
    Spread BandwidthShare,
    long PackedBytes,
    long CacheBytes,
    Spread? ProcessSeconds)
{
    /// <summary>A contestant's line.</summary>
    /// <param name="contestant">After its rounds.</param>
    /// <param name="bandwidths">Bytes per second, by round.</param>
    public static GenerationBenchLine Of(GenerationContestant contestant, IReadOnlyList<double> bandwidths)
    {
        var bytes = contestant.Model.WeightBytes;
        var one = contestant.DecodeRates.MinBy(rates => rates.Key);
        return new GenerationBenchLine(
            contestant.Name,
            LoadingOptions.NameOf(contestant.Dtype),
            Spread.Of(contestant.PrefillRates),
            contestant.DecodeRates.ToDictionary(rates => rates.Key, rates => Spread.Of(rates.Value)),
            bytes,
            Spread.OfRatios(one.Value.Select(rate => rate / one.Key * bytes), bandwidths),
            contestant.Model.PackedBytes,
            contestant.CacheBytes,
            contestant.ProcessSeconds.Count > 0 ? Spread.Of(contestant.ProcessSeconds) : null);
    }
}
