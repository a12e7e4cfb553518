using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ablation;

/// <summary>
/// The base and its variants, each tuned; or, to save runs, the base tuned and the variants at its learning rate once
/// that is known.
/// </summary>
/// <param name="baseCell">The base.</param>
/// <param name="variants">Makes the variants, given the base's learning rate, or null for rates of their own.</param>
/// <param name="tuneVariants">Whether variants are tuned.</param>
internal sealed class AblationPlan(
    TunedCell baseCell, Func<double?, IReadOnlyList<TunedCell>> variants, bool tuneVariants) : IStudyPlan
{
    private readonly Dictionary<double, IReadOnlyList<TunedCell>> _byRate = [];

    public TunedCell Base => baseCell;

    /// <summary>The variants; none while they wait for the base's learning rate.</summary>
    public IReadOnlyList<TunedCell> Variants(IReadOnlyDictionary<string, RunResult> results)
        => tuneVariants ? AtRate(rate: null)
            : baseCell.Search(results).BestRate is { } rate ? AtRate(rate)
            : [];

    public StudyAgenda Agenda(IReadOnlyDictionary<string, RunResult> results)
    {
        var known = Variants(results);
        var agenda = new TuningPlan([baseCell, .. known]).Agenda(results);
        if (known.Count > 0)
            return agenda;
        var waiting = AtRate(baseCell.InitialRates[0])
            .SelectMany(cell => cell.Settings.Seeds.Select(seed => cell.Run(cell.InitialRates[0], seed).Flops));
        return agenda with { Later = [.. agenda.Later, .. waiting] };
    }

    private IReadOnlyList<TunedCell> AtRate(double? rate)
        => _byRate.TryGetValue(rate ?? 0, out var cells) ? cells : _byRate[rate ?? 0] = variants(rate);
}
