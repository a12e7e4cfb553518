using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ablation;

/// <summary>What each part of a configuration is worth: variants that lack or replace it, against the base.</summary>
public sealed class AblateStudy : IStudy
{
    private const string BaseName = "base";
    private readonly AblateConfiguration _settings;
    private readonly AblationPlan _plan;
    private readonly List<string> _warnings;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public AblateStudy(AblateConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        var place = baseConfiguration.Place("variants");
        var variants = Variant.ParseAll(settings.Variants, place);
        if (variants.Exists(variant => variant.Name == BaseName))
            throw new InvalidInputException($"{place}: '{BaseName}' is the name of the base; choose another.");
        var factory = new CellFactory(settings, baseConfiguration, data);
        var baseCell = factory.Create([new("side", BaseName)], []);
        var idle = variants.FindAll(variant => IsSame(baseCell, Cell(variant, rate: null)));
        _warnings = idle.ConvertAll(
            variant => $"Variant {variant.Name} changes nothing: all its settings are the base's, so it is not run.");
        _plan = new AblationPlan(
            baseCell, rate => variants.Except(idle).Select(variant => Cell(variant, rate)).ToList(),
            settings.TuneVariants);
        // variants that cannot be used should be known at once
        _ = _plan.Agenda(new Dictionary<string, RunResult>(StringComparer.Ordinal));

        TunedCell Cell(Variant variant, double? rate) => factory.Create(
            [new("side", variant.Name)],
            factory.Fields(variant, "variants"),
            rate is { } fixedRate ? [fixedRate] : null,
            rate is null ? null : 0);
    }

    /// <inheritdoc/>
    public string Title => "Ablation";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _plan;

    /// <inheritdoc/>
    public IReadOnlyList<string> PlanWarnings => _warnings;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state)
    {
        var reference = CellOutcome.Of(_plan.Base, state.Results);
        return AblationFindings.Create(
            reference,
            _plan.Variants(state.Results)
                .Select(cell => VariantOutcome.Create(cell["side"], reference, CellOutcome.Of(cell, state.Results)))
                .ToList(),
            _settings,
            _warnings);
    }

    /// <summary>
    /// Whether two cells have the same settings, given or left to defaults, at the same rate and seed.
    /// </summary>
    private static bool IsSame(TunedCell cell, TunedCell other)
    {
        var (rate, seed) = (cell.InitialRates[0], cell.Settings.Seeds[0]);
        return ResolvedSettings.Of(cell.Run(rate, seed)).SequenceEqual(ResolvedSettings.Of(other.Run(rate, seed)));
    }
}
