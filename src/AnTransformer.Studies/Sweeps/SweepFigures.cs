using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Sweeps;

/// <summary>The figures of a sweep.</summary>
internal static class SweepFigures
{
    private const double LogarithmicFrom = 8;

    public static IReadOnlyList<FindingsFigure> All(
        IReadOnlyList<SweepField> fields, IReadOnlyList<SweepOutcome> outcomes, bool isGrid)
    {
        var figures = fields.Select((field, i) => new FindingsFigure(
            field.Key, $"Final loss against {field.Key}: every combination a point, the line through the best of each "
                + "value; diverged runs are left out.",
            () => OneField(field, i, outcomes))).ToList();
        if (isGrid && fields.Count == 2)
            figures.Add(
                new FindingsFigure(
                    "map", $"Final loss by {fields[0].Key} and {fields[1].Key}; empty where runs diverged.",
                    () => Map(fields, outcomes)));
        return figures;
    }

    private static Chart OneField(SweepField field, int index, IReadOnlyList<SweepOutcome> outcomes)
    {
        var numbers = outcomes.Select(outcome => SweepField.Number(outcome.Values[index])).ToList();
        var isNumeric = numbers.TrueForAll(number => number is not null);
        var categories = isNumeric
            ? []
            : outcomes.Select(outcome => outcome.Values[index]).Distinct(StringComparer.Ordinal).ToList();
        var xs = isNumeric
            ? numbers.ConvertAll(number => number!.Value)
            : outcomes.Select(outcome => (double)categories.IndexOf(outcome.Values[index])).ToList();
        var isLogarithmic = isNumeric && xs.Min() > 0 && xs.Max() / xs.Min() >= LogarithmicFrom;
        var chart = new Chart(
            $"Loss against {field.Name}", field.Key, "final validation loss (nats per token)", logX: isLogarithmic);
        var best = xs.Zip(outcomes).Where(point => double.IsFinite(point.Second.Mean)).GroupBy(point => point.First)
            .Select(group => (X: group.Key, Y: group.Min(point => point.Second.Mean))).OrderBy(point => point.X)
            .ToList();
        if (field.Values.Count > 1)
            chart.Line("best", best.ConvertAll(point => point.X), best.ConvertAll(point => point.Y));
        chart.Points("combinations", xs, outcomes.Select(outcome => outcome.Mean).ToList());
        return isNumeric
            ? chart
            : chart.Ticks([.. Enumerable.Range(0, categories.Count).Select(i => (double)i)], categories);
    }

    private static Chart Map(IReadOnlyList<SweepField> fields, IReadOnlyList<SweepOutcome> outcomes)
    {
        var (columns, rows) = (Ordered(fields[0]), Ordered(fields[1]));
        var values = new double[rows.Count, columns.Count];
        for (var row = 0; row < rows.Count; row++)
        {
            for (var column = 0; column < columns.Count; column++)
            {
                var mean = outcomes.First(
                    outcome => outcome.Values[0] == columns[column] && outcome.Values[1] == rows[row]).Mean;
                values[row, column] = double.IsFinite(mean) ? mean : double.NaN;
            }
        }

        return new Chart("Final validation loss (nats per token)", fields[0].Key, fields[1].Key)
            .Heatmap(values, columns, rows);
    }

    private static List<string> Ordered(SweepField field)
        => field.Values.All(value => SweepField.Number(value) is not null)
            ? [.. field.Values.OrderBy(value => SweepField.Number(value))]
            : [.. field.Values];
}
