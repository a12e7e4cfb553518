using System.Globalization;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Sweeps;

/// <summary>A combination of values, and its runs by seed.</summary>
internal sealed record SweepPoint(IReadOnlyList<string> Values, IReadOnlyList<PlannedRun> Runs);

/// <summary>The combinations of a sweep: every one with the first seed, then all with the second, and so on.</summary>
internal sealed class SweepPlan : IStudyPlan
{
    private readonly StudyAgenda _agenda;

    /// <exception cref="InvalidInputException">A value cannot be used.</exception>
    public SweepPlan(
        SweepConfiguration settings, IReadOnlyList<SweepField> fields, BaseConfiguration baseConfiguration,
        StudyData data)
    {
        Points = Combinations(settings, fields)
            .Select(values => new SweepPoint(values, settings.Seeds.ConvertAll(seed =>
        {
            var configuration = baseConfiguration.Compose(
            [
                .. fields.Zip(values, (field, value) => (field.Key, value, baseConfiguration.Place("fields"))),
                ("training.seed", seed.ToString(CultureInfo.InvariantCulture), baseConfiguration.Place("seeds")),
            ]);
            var label = string.Join('-', fields.Zip(values, (field, value) => field.Name + value)) + $"-seed{seed}";
            var axes = fields.Zip(values, (field, value) => new KeyValuePair<string, string>(field.Key, value))
                .ToList();
            return new PlannedRun(label, configuration, axes, data.VocabularySize(configuration));
        }))).ToList();
        _agenda = new StudyAgenda(
            Enumerable.Range(0, settings.Seeds.Count).SelectMany(seed => Points.Select(point => point.Runs[seed]))
                .ToList(), []);
    }

    /// <summary>The combinations.</summary>
    public IReadOnlyList<SweepPoint> Points { get; }

    public StudyAgenda Agenda(IReadOnlyDictionary<string, RunResult> results) => _agenda;

    private static List<IReadOnlyList<string>> Combinations(
        SweepConfiguration settings, IReadOnlyList<SweepField> fields)
    {
        if (settings.Trials is { } trials)
        {
            var random = new Random(settings.SearchSeed);
            return Enumerable.Range(0, trials)
                .Select(_ => (IReadOnlyList<string>)fields.Select(field => field.Draw(random)).ToList())
                .DistinctBy(values => string.Join('\n', values)).ToList();
        }

        return fields.Aggregate(
            new List<IReadOnlyList<string>> { Array.Empty<string>() },
            (points, field) => points.SelectMany(
                point => field.Values.Select(value => (IReadOnlyList<string>)[.. point, value])).ToList());
    }
}
