using AnTransformer.Architectures;
using AnTransformer.Training.Benchmarking;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>One contestant's line.</summary>
internal sealed record BenchLine(
    string Name,
    long Parameters,
    Spread SecondsPerStep,
    double TokensPerSecond,
    double ModelFlopsPerSecond,
    double MatmulFraction,
    Spread UpdateSeconds,
    double UpdateBoundSeconds,
    IReadOnlyDictionary<string, double>? PhaseShares,
    PeakMemoryResult? Memory);

/// <summary>A quotient of step times, round by round.</summary>
internal sealed record BenchRatio(string Name, Spread Value);

/// <summary>What a benchmark found, ready to be shown.</summary>
internal sealed record BenchReport(
    IReadOnlyList<BenchLine> Lines, IReadOnlyList<BenchRatio> Ratios, double MatmulRate, double CopyRate)
{
    /// <summary>Summarizes the rounds.</summary>
    public static BenchReport Create(
        BenchSettings settings, StepBenchmarkResult result, IReadOnlyDictionary<string, PeakMemoryResult?> memory)
        => new(
            result.Timings.Select(timings => Line(settings, result, timings, memory)).ToList(),
            RatiosOf(settings, result).ToList(),
            result.MatmulRate,
            result.CopyRate);

    private static BenchLine Line(
        BenchSettings settings, StepBenchmarkResult result, StepTimings timings,
        IReadOnlyDictionary<string, PeakMemoryResult?> memory)
    {
        var (name, model) = (timings.Contestant.Name, timings.Contestant.Model);
        var seconds = Spread.Of(timings.Seconds);
        var tokensPerSecond = settings.TokensPerStep / seconds.Median;
        var flops = tokensPerSecond * ModelCost.TrainingFlopsPerToken(model);
        return new BenchLine(
            name,
            ModelCost.Parameters(model),
            seconds,
            tokensPerSecond,
            flops,
            flops / result.MatmulRate,
            Spread.Of(timings.UpdateSeconds),
            timings.UpdateBound(result.CopyRate),
            timings.PhaseShares?.ToDictionary(
                item => PhaseName(item.Phase), item => item.Share, StringComparer.Ordinal),
            memory.GetValueOrDefault(name));
    }

    /// <summary>
    /// Speed-up of ours over the twin, what settings of a contestant's own save, and what the other architectures cost
    /// against GPT+.
    /// </summary>
    private static IEnumerable<BenchRatio> RatiosOf(BenchSettings settings, StepBenchmarkResult result)
    {
        var seconds = result.Timings.ToDictionary(
            timings => timings.Contestant.Name, timings => timings.Seconds, StringComparer.Ordinal);
        if (settings.Eager)
        {
            foreach (var architecture in settings.Architectures.Where(settings.HasEager))
                yield return Ratio(
                    Contestants.NameOf(architecture, eager: true), Contestants.NameOf(architecture, eager: false));
        }

        foreach (var architecture in settings.Architectures)
        {
            var plain = BenchSettings.Plain(architecture);
            if (plain != architecture && settings.Architectures.Contains(plain))
                yield return Ratio(plain, architecture);
        }

        if (!settings.Architectures.Contains(GptPlusDefinition.ArchitectureName))
            yield break;
        foreach (var eager in settings.Eager ? new[] { false, true } : [false])
        {
            foreach (var architecture in settings.Architectures.Where(
                architecture => architecture != GptPlusDefinition.ArchitectureName
                    && (!eager || settings.HasEager(architecture))))
                yield return Ratio(
                    Contestants.NameOf(architecture, eager),
                    Contestants.NameOf(GptPlusDefinition.ArchitectureName, eager));
        }

        BenchRatio Ratio(string numerator, string denominator)
            => new($"{numerator} / {denominator}", Spread.OfRatios(seconds[numerator], seconds[denominator]));
    }

    private static string PhaseName(Kernels.Phase? phase) => phase switch
    {
        Kernels.Phase.MatrixProducts => "matrix_products",
        Kernels.Phase.Attention => "attention",
        Kernels.Phase.FusedOperators => "fused_operators",
        Kernels.Phase.Optimizer => "optimizer",
        Kernels.Phase.Data => "data",
        null => "other",
        _ => phase.Value.ToString(),
    };
}
