using TorchSharp;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>A benchmark as one JSON object.</summary>
internal static class BenchJson
{
    /// <summary>Prints settings, checks and, if anything was timed, the report.</summary>
    public static void Print(
        BenchSettings settings, int rounds, IReadOnlyList<EqualityCheck> checks, BenchReport? report)
        => JsonOutput.Print(new
        {
            Settings = new
            {
                Architectures = settings.Architectures,
                settings.Eager,
                settings.HiddenSize,
                settings.Layers,
                settings.Heads,
                NumKeyValueHeads = settings.KeyValueHeads ?? settings.Heads,
                HeadDim = settings.HeadSize ?? settings.HiddenSize / settings.Heads,
                settings.SlidingWindow,
                settings.TieWordEmbeddings,
                settings.Context,
                settings.BatchSize,
                settings.VocabSize,
                IntermediateSize = settings.IntermediateSize ?? 4 * settings.HiddenSize,
                settings.Device,
                settings.ComputeDtype,
                Threads = torch.get_num_threads(),
                settings.Seed,
                Rounds = rounds,
                settings.TokensPerStep,
            },
            Equality = checks.Select(check => new
            {
                Architecture = check.Architecture,
                Loss = Finite(check.Equality.Loss),
                EagerLoss = Finite(check.Equality.ReferenceLoss),
                LossDifference = Finite(check.Equality.LossDifference),
                GradientDifference = Finite(check.Equality.GradientDifference),
                check.Equality.Parameter,
                check.Tolerance,
                check.Passed,
            }),
            MatmulFlopsPerSecond = report?.MatmulRate,
            CopyBytesPerSecond = report?.CopyRate,
            Contestants = report?.Lines,
            StepTimeRatios = report?.Ratios.ToDictionary(
                ratio => ratio.Name, ratio => ratio.Value, StringComparer.Ordinal),
        });

    /// <summary>JSON has no infinities and no NaN.</summary>
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
