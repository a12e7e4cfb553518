using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Statistics;
using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Ablation;

/// <summary>Puts an ablation into words, tables and figures.</summary>
internal static class AblationFindings
{
    public static StudyFindings Create(
        CellOutcome reference, IReadOnlyList<VariantOutcome> variants, AblateConfiguration settings,
        IReadOnlyList<string> planWarnings)
    {
        var all = variants.Select(variant => (variant.Name, variant.Outcome)).Prepend(("base", reference)).ToList();
        return new StudyFindings(
            Lead(variants),
            [.. planWarnings, .. Warnings(all, settings)],
            [
                Differences(reference, variants),
                LearningRateTable.Of(
                    ["variant"], all.Select(item => ((IReadOnlyList<string>)[item.Item1], item.Item2))),
            ],
            [new(
                "differences", "Final loss of each variant minus the base's, with Student's 95 % intervals over seeds.",
                () => Figure(variants))],
            new
            {
                Base = OutcomeData.Of(reference),
                Variants = variants.Select(
                    variant => new { variant.Name, variant.Difference, Outcome = OutcomeData.Of(variant.Outcome) })
                        .ToList(),
            });
    }

    private static IEnumerable<string> Warnings(IEnumerable<(string, CellOutcome)> all, AblateConfiguration settings)
    {
        if (!settings.TuneVariants)
            yield return "Variants were run at the base's learning rate, which may not be their best.";
        foreach (var warning in TuningWarnings.Of(settings, all))
            yield return warning;
    }

    private static string Lead(IReadOnlyList<VariantOutcome> variants)
    {
        var worst = variants.Where(variant => variant.Difference is not null)
            .OrderByDescending(variant => variant.Difference!.Value).ToList();
        var lost = variants.Where(variant => variant.Outcome.Search is { IsDecided: true, Best: null })
            .Select(variant => variant.Name).ToList();
        var sentences = new List<string>();
        if (worst.Count > 0)
        {
            var most = worst[0].Difference!;
            sentences.Add(
                $"The costliest change is {worst[0].Name}: {Cells.Difference(most.Value, most.Interval)} nats per "
                    + "token against the base.");
            var better = worst.Where(variant => variant.Difference!.Interval is { High: < 0 })
                .Select(variant => variant.Name).ToList();
            sentences.Add(better.Count > 0
                ? $"Better than the base, with a 95 % interval below 0: {string.Join(", ", better)}."
                : "No variant is better than the base with a 95 % interval below 0.");
        }

        if (lost.Count > 0)
            sentences.Add($"Diverged at every learning rate: {string.Join(", ", lost)}.");
        return sentences.Count > 0 ? string.Join(" ", sentences) : "No variant has been compared with the base yet.";
    }

    private static ReportTable Differences(CellOutcome reference, IReadOnlyList<VariantOutcome> variants)
        => new(
            "Loss against the base",
            ["variant", "learning rate", "seeds", "loss", "deviation", "difference", "diverged"],
            [
                Row("base", reference, difference: null),
                .. variants.Select(variant => Row(variant.Name, variant.Outcome, variant.Difference)),
            ],
            "Difference: mean over seeds of the variant's final validation loss minus the base's with the same seed, "
                + "in nats per token; in "
            + "brackets Student's 95 % interval over seeds, each for its own variant: of twenty without effect one "
            + "will exclude 0 by chance. Diverged: "
            + "runs over all learning rates; with one at the best rate there is no interval.");

    private static IReadOnlyList<string> Row(string name, CellOutcome outcome, PairedDifference? difference)
        =>
        [
            name,
            Cells.Rate(outcome.Search.BestRate),
            $"{outcome.Completed.Count}",
            Cells.Loss(outcome.MeanLoss),
            Cells.Loss(outcome.Deviation),
            Cells.Difference(difference),
            $"{outcome.DivergedByRate.Sum(rate => rate.Diverged)} of "
                + $"{outcome.DivergedByRate.Sum(rate => rate.Finished)}",
        ];

    private static Chart Figure(IReadOnlyList<VariantOutcome> variants)
    {
        var known = variants.Where(variant => variant.Difference is not null)
            .OrderBy(variant => variant.Difference!.Value).ToList();
        var rows = Enumerable.Range(0, known.Count).Select(i => (double)i).ToList();
        var chart = new Chart("Loss against the base", "difference of the final loss (nats per token)", "").Mark("", 0);
        for (var i = 0; i < known.Count; i++)
        {
            if (known[i].Difference!.Interval is { } interval)
                chart.Line("", [interval.Low, interval.High], [i, i]);
        }

        return chart.Points("", known.ConvertAll(variant => variant.Difference!.Value), rows)
            .TicksLeft(rows, known.ConvertAll(variant => variant.Name));
    }
}
