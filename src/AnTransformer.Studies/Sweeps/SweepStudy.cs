using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Sweeps;

/// <summary>
/// Varies fields of the training configuration, on a grid or at random, and finds what is best and how much it matters.
/// </summary>
public sealed class SweepStudy : IStudy
{
    private readonly SweepConfiguration _settings;
    private readonly List<SweepField> _fields;
    private readonly SweepPlan _plan;

    /// <summary>Plans the study.</summary>
    /// <param name="settings">What it is told.</param>
    /// <param name="baseConfiguration">What all runs have.</param>
    /// <param name="data">Prepares data and knows vocabularies.</param>
    /// <exception cref="InvalidInputException">The settings cannot be used.</exception>
    public SweepStudy(SweepConfiguration settings, BaseConfiguration baseConfiguration, StudyData data)
    {
        _settings = settings;
        var place = baseConfiguration.Place("fields");
        _fields = settings.Fields.ConvertAll(text => SweepField.Parse(text, place));
        if (_fields.GroupBy(field => field.Key).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
            throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(twice)}' is there twice; give all its values in one entry.");
        if (_fields.Find(field => field.Key == "training.seed") is not null)
            throw new InvalidInputException(
                $"{place}: seeds are given in the study's field seeds, not as a field to vary.");
        if (settings.Trials is null && _fields.Find(field => field.IsRange) is { } range)
            throw new InvalidInputException(
                $"{place}: '{range.Key}' is a range to draw from; say how often with trials, or give a list of "
                    + "values.");
        baseConfiguration.RefuseSet("training.seed", "--seeds");
        foreach (var varied in _fields)
        {
            BaseConfiguration.RefusePlaceOfWork(varied.Key, place);
            baseConfiguration.RefuseSet(varied.Key, "--fields");
        }

        _plan = new SweepPlan(settings, _fields, baseConfiguration, data);
    }

    /// <inheritdoc/>
    public string Title => $"Sweep of {string.Join(", ", _fields.Select(item => item.Name))}";

    /// <inheritdoc/>
    public StudyConfiguration Settings => _settings;

    /// <inheritdoc/>
    public IStudyPlan Plan => _plan;

    private bool IsGrid => _settings.Trials is null;

    /// <inheritdoc/>
    public StudyFindings Findings(StudyState state)
    {
        var outcomes = _plan.Points.Select(point => SweepOutcome.Of(point, state.Results)).ToList();
        var ranked = outcomes.Where(outcome => outcome.Losses.Count > 0).OrderBy(outcome => outcome.Mean).ToList();
        var sensitivities = RateSensitivity.Of(_fields, outcomes, IsGrid);
        return new StudyFindings(
            Lead(ranked, sensitivities),
            Warnings(ranked).ToList(),
            [Ranking(ranked), .. sensitivities.Count > 0 ? [Sensitivity(sensitivities)] : Array.Empty<ReportTable>()],
            SweepFigures.All(_fields, outcomes, IsGrid),
            new
            {
                Fields = _fields.ConvertAll(field => field.Key),
                Best = ranked.FirstOrDefault() is { } best && double.IsFinite(best.Mean) ? Data(best) : null,
                Settings = ranked.ConvertAll(Data),
                LearningRateSensitivity = sensitivities,
            });
    }

    private string Lead(List<SweepOutcome> ranked, IReadOnlyList<RateSensitivity> sensitivities)
    {
        if (ranked.Count == 0)
            return "No run has finished yet.";
        var best = ranked[0];
        if (!double.IsFinite(best.Mean))
            return "Every combination diverged.";
        var lead = $"The lowest mean loss is {Cells.Loss(best.Mean)} nats per token, with {Describe(best.Values)}.";
        return sensitivities is [{ Octaves: { } octaves }]
            ? $"{lead} The loss stays within {RateSensitivity.Share:p0} of it over {Octaves(octaves)} octaves of the "
                + "learning rate."
            : lead;
    }

    private static string Octaves(Estimate octaves)
        => (octaves.Bounds == Bounds.AtLeast ? "at least " : "") + $"{octaves.Value:f1}"
            + (octaves.Interval is { } interval ? $" [{interval.Low:f1}, {interval.High:f1}]" : "");

    private IEnumerable<string> Warnings(List<SweepOutcome> ranked)
    {
        if (_settings.Seeds.Count < 2)
            yield return "With one seed, differences between neighbouring settings may be chance.";
        if (ranked.Count > 0 && double.IsFinite(ranked[0].Mean))
        {
            foreach (var (field, value) in _fields.Zip(ranked[0].Values))
            {
                var numbers = field.Values.Select(SweepField.Number).ToList();
                if (numbers.Count < 2 || numbers.Contains(null) || SweepField.Number(value) is not { } best)
                    continue;
                if (best == numbers.Min() || best == numbers.Max())
                    yield return $"The best {field.Key}, {value}, is at the edge of its values; a better one may lie "
                        + "beyond.";
            }
        }
    }

    private string Describe(IReadOnlyList<string> values)
        => string.Join(", ", _fields.Zip(values, (field, value) => $"{field.Key} = {value}"));

    private ReportTable Ranking(List<SweepOutcome> ranked)
        => new(
            "Settings, best first",
            [.. _fields.Select(field => field.Key), "seeds", "loss", "deviation", "above the best", "diverged"],
            ranked.ConvertAll(outcome => (IReadOnlyList<string>)
            [
                .. outcome.Values, $"{outcome.Losses.Count}", Cells.Loss(outcome.Mean), Cells.Loss(outcome.Deviation),
                outcome == ranked[0]
                    ? Cells.Unknown
                    : Cells.Difference(outcome.Above(ranked[0])), $"{outcome.Diverged}",
            ]),
            "Means over seeds of the validation loss in nats per token at the end of the run; settings of which a run "
                + "diverged come last. Above the best: "
            + "mean difference from the first row with the same seed, in brackets Student's 95 % interval; the best "
            + "being the luckiest of several, "
            + "differences from it are a little too large.");

    private ReportTable Sensitivity(IReadOnlyList<RateSensitivity> sensitivities)
        => new(
            "Sensitivity to the learning rate",
            [.. _fields.Where(field => field.Key != "optimizer.learning_rate").Select(field => field.Key), "best",
                "from", "to", "octaves"],
            sensitivities.Select(item => (IReadOnlyList<string>)(item.Range is { } range
                ?
                [
                    .. item.Others,
                    Cells.Rate(range.Best),
                    (range.LowIsBound ? "≤ " : "") + $"{range.Low:0.##e0}",
                    (range.HighIsBound ? "≥ " : "") + $"{range.High:0.##e0}",
                    item.Octaves is { } octaves ? Octaves(octaves) : Cells.Unknown,
                ]
                : [.. item.Others, Cells.Unknown, Cells.Unknown, Cells.Unknown, "all diverged"])).ToList(),
            "Over how many octaves (factors of two) around the best rate the loss stays within "
                + $"{RateSensitivity.Share:p0} of the best: ends of the mean "
            + "loss, and the mean width over seeds with Student's 95 % interval; a bound has none.");

    private object Data(SweepOutcome outcome) => new
    {
        Values = _fields.Zip(outcome.Values).ToDictionary(item => item.First.Key, item => item.Second),
        outcome.Mean,
        outcome.Deviation,
        outcome.Losses,
        outcome.Diverged,
    };
}
