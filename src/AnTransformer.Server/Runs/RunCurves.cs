using AnTransformer.Training.Inspection;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Server.Runs;

/// <summary>What a run's files tell, as curves that a page can draw.</summary>
internal static class RunCurves
{
    private const int MostPoints = 600;

    /// <summary>A curve.</summary>
    /// <param name="Steps">Optimizer steps.</param>
    /// <param name="Tokens">Tokens trained on, or null where only steps are known.</param>
    /// <param name="Values">What was measured then.</param>
    internal sealed record RunCurve(
        IReadOnlyList<long> Steps, IReadOnlyList<long>? Tokens, IReadOnlyList<double> Values);

    /// <summary>
    /// Curves by name: those of <c>metrics.jsonl</c>, and means over blocks of <c>inspection.jsonl</c>.
    /// </summary>
    /// <exception cref="InvalidInputException">A file is damaged.</exception>
    public static SortedDictionary<string, RunCurve> Of(RunEntry run)
    {
        var curves = new SortedDictionary<string, RunCurve>(StringComparer.Ordinal);
        var points = RunCatalogue.Metrics(run).SelectMany(record => Figures(record).Select(
            figure => (figure.Name, record.Step, record.Tokens, figure.Value)));
        foreach (var group in points.Where(point => double.IsFinite(point.Value)).GroupBy(point => point.Name))
        {
            var means = Thin([.. group.Select(point => (point.Step, point.Tokens, point.Value))]);
            curves[group.Key] = new RunCurve(
                means.ConvertAll(point => point.Step), means.ConvertAll(point => point.Tokens),
                means.ConvertAll(point => point.Value));
        }

        var inspections = InspectionLog.Read(Path.Combine(run.Path, "inspection.jsonl"))
            .SelectMany(record => Norms(record).Select(norm => (norm.Name, record.Step, norm.Value)));
        foreach (var group in inspections.Where(point => double.IsFinite(point.Value)).GroupBy(point => point.Name))
        {
            var steps = group.GroupBy(point => point.Step);
            var means = Thin([.. steps.Select(step => (step.Key, 0L, step.Average(point => point.Value)))]);
            curves[group.Key] = new RunCurve(
                means.ConvertAll(point => point.Step), null, means.ConvertAll(point => point.Value));
        }

        return curves;
    }

    private static IEnumerable<(string Name, double Value)> Figures(MetricsRecord record)
    {
        (string, double?)[] all =
        [
            ("loss", record.Loss), ("val_loss", record.ValLoss), ("learning_rate", record.LearningRate),
            ("grad_norm", record.GradNorm), ("tokens_per_second", record.TokensPerSecond),
        ];
        return all.Where(item => item.Item2 is not null).Select(item => (item.Item1, item.Item2!.Value));
    }

    private static IEnumerable<(string Name, double Value)> Norms(InspectionRecord record)
        => record.Norm.Select(item => ($"norm of {item.Key}", item.Value))
            .Concat(record.Vectors.Select(item => ($"row norm of {item.Key}", item.Value.Mean)))
            .Concat(record.Scales.Select(item => ($"scale {item.Key}", item.Value)));

    /// <summary>Means of neighbours, where there are more points than a page has pixels for; the last stays.</summary>
    private static List<(long Step, long Tokens, double Value)> Thin(
        List<(long Step, long Tokens, double Value)> points)
    {
        if (points.Count <= MostPoints)
            return points;
        var size = (points.Count + MostPoints - 1) / MostPoints;
        return [
            .. points.Chunk(size).Select(
                part => (part[^1].Step, part[^1].Tokens, part.Average(point => point.Value))),
        ];
    }
}
