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
        _plan = new AblationPlan(
            factory.Create([new("side", BaseName)], []),
            rate => variants.ConvertAll(variant => factory.Create(
                [new("side", variant.Name)],
                factory.Fields(variant, "variants").ToList(),
                rate is { } fixedRate ? [fixedRate] : null,
                rate is null ? null : 0)),
            settings.TuneVariants);
        _ = _plan.Agenda(new Dictionary<string, RunResult>(StringComparer.Ordinal));     // variants that cannot be used should be known at once
    }

    /// <inheritdoc/>
    public string Title => "Ablation";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _plan;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state)
    {
        var reference = CellOutcome.Of(_plan.Base, state.Results);
        return AblationFindings.Create(
            reference,
            _plan.Variants(state.Results).Select(cell => VariantOutcome.Create(cell["side"], reference, CellOutcome.Of(cell, state.Results))).ToList(),
            _settings);
    }
}
