using System.Globalization;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Statistics;

namespace AnTransformer.Studies.Tests.Documentation;

/// <summary>Every interval in docs/experiments.md is what the tables of runs beside it give.</summary>
public sealed class ExperimentsTests
{
    private static readonly double[] Budgets = [524_288, 1_048_576, 2_097_152];
    private static readonly string Page = File.ReadAllText(Path.Combine(KeptRuns.Docs, "experiments.md"));

    [Theory]
    [InlineData("ladder", "ngpt", "gpt+", "size", "d64")]
    [InlineData("ladder", "angpt", "gpt+", "size", "d64")]
    [InlineData("ladder", "ngpt", "gpt+", "size", "d128")]
    [InlineData("ladder", "angpt", "gpt+", "size", "d128")]
    [InlineData("ladder", "ngpt", "gpt+", "size", "d256")]
    [InlineData("ladder", "angpt", "gpt+", "size", "d256")]
    [InlineData("ladder", "ngpt", "gpt+", "size", "d384")]
    [InlineData("ladder", "angpt", "gpt+", "size", "d384")]
    [InlineData("budgets-d64", "angpt", "gpt+ clipped", "budget", "1048576")]
    [InlineData("budgets-d64", "angpt", "gpt+ clipped", "budget", "2097152")]
    [InlineData("budgets-d64", "angpt", "gpt+", "budget", "1048576")]
    [InlineData("budgets-d64", "angpt", "gpt+", "budget", "2097152")]
    [InlineData("budgets-d64", "gpt+ clipped", "gpt+", "budget", "2097152")]
    [InlineData("batch-d64", "angpt", "gpt+", "batch", "16")]
    [InlineData("batch-d64", "angpt", "gpt+", "batch", "64")]
    [InlineData("optimal-d64", "angpt", "gpt+ clipped", "budget", "3604480")]
    [InlineData("optimal-d64", "angpt", "gpt+", "budget", "3604480")]
    [InlineData("optimal-d64", "gpt+ clipped", "gpt+", "budget", "3604480")]
    [InlineData("optimal-d64", "angpt", "gpt+ clipped", "budget", "14417920")]
    [InlineData("optimal-d64", "angpt", "gpt+", "budget", "14417920")]
    [InlineData("optimal-d64", "gpt+ clipped", "gpt+", "budget", "14417920")]
    [InlineData("controls-d64", "gpt+", "gpt+ clipped")]
    [InlineData("controls-d64", "gpt+ clipped", "gpt+")]
    [InlineData("controls-d64", "gpt+ muon", "gpt+ clipped")]
    [InlineData("controls-d64", "gpt+ muon", "gpt+")]
    [InlineData("controls-d64", "ngpt", "gpt+ clipped")]
    [InlineData("controls-d64", "ngpt", "gpt+")]
    [InlineData("controls-d64", "ngpt scales", "gpt+ clipped")]
    [InlineData("controls-d64", "ngpt scales", "gpt+")]
    [InlineData("controls-d64", "angpt published", "gpt+ clipped")]
    [InlineData("controls-d64", "angpt published", "gpt+")]
    [InlineData("controls-d64", "angpt plain", "gpt+ clipped")]
    [InlineData("controls-d64", "angpt plain", "gpt+")]
    [InlineData("controls-d64", "angpt", "gpt+ clipped")]
    [InlineData("controls-d64", "angpt", "gpt+")]
    [InlineData("controls-d64", "angpt exponent 1", "gpt+ clipped")]
    [InlineData("controls-d64", "angpt exponent 1", "gpt+")]
    [InlineData("controls-d64", "angpt muon", "gpt+ clipped")]
    [InlineData("controls-d64", "angpt muon", "gpt+")]
    [InlineData("ablate-d64", "no-nu-ug", "base")]
    [InlineData("ablate-d64", "no-nu-act", "base")]
    [InlineData("ablate-d64", "no-nu-down", "base")]
    [InlineData("ablate-d64", "no-nu-alpha", "base")]
    [InlineData("ablate-d64", "no-nu", "base")]
    [InlineData("ablate-d64", "exact-rows", "base")]
    [InlineData("ablate-d64", "free-rows", "base")]
    [InlineData("ablate-d64", "no-qk-norm", "base")]
    public void Loss_differences(string table, string side, string reference, string column = "", string value = "")
    {
        var difference = PairedDifference.Of(KeptRuns.Losses(table, reference, column, value), KeptRuns.Losses(table, side, column, value))!;
        AssertQuoted(Text(difference));
    }

    [Fact]
    public void What_meeting_seldom_costs()
    {
        var losses = File.ReadLines(Path.Combine(KeptRuns.Docs, "experiments", "sync-every.csv")).Skip(1).Select(line => line.Split(','))
            .GroupBy(run => (Side: run[0], Processes: run[1], Every: run[2], Outer: run[3])).ToDictionary(
                group => group.Key,
                group => group.ToDictionary(run => long.Parse(run[4], CultureInfo.InvariantCulture), run => double.Parse(run[6], CultureInfo.InvariantCulture)));
        foreach (var (key, found) in losses.Where(item => item.Key.Every != "1"))
        {
            var together = losses[(key.Side, "2", "1", "none")].Where(run => found.ContainsKey(run.Key)).ToDictionary();
            var cost = PairedDifference.Of(together, found)!;
            AssertQuoted(string.Create(CultureInfo.InvariantCulture, $"+{cost.Value:f3} ± {cost.Interval!.High - cost.Value:f3}"));
        }
    }

    [Theory]
    [InlineData("gpt+ clipped")]
    [InlineData("gpt+")]
    public void Loss_differences_on_other_text(string reference)
    {
        AssertQuoted(Text(PairedDifference.Of(Final(reference), Final("angpt"))!));

        static Dictionary<long, double> Final(string side)
            => KeptRuns.Curves("austen-d64-curves", side).ToDictionary(run => run.Key, run => run.Value.Final);
    }

    [Theory]
    [InlineData("gpt+ clipped", 1)]
    [InlineData("gpt+ clipped", 2)]
    [InlineData("gpt+", 1)]
    [InlineData("gpt+", 2)]
    public void Speed_ups_of_angpt_on_the_annealed_frontier(string reference, int budget)
    {
        IReadOnlyDictionary<long, double>[] losses =
            [KeptRuns.Losses("ladder", "angpt", "size", "d64"), .. Budgets[1..].Select(tokens => KeptRuns.Losses("budgets-d64", "angpt", "budget", $"{tokens}"))];
        AssertQuoted(OnFrontier(KeptRuns.Losses("budgets-d64", reference, "budget", $"{Budgets[budget]}"), Budgets[budget], Budgets, losses));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Speed_ups_of_clipped_gpt_plus_on_the_annealed_frontier(int budget)
        => AssertQuoted(OnFrontier(
            KeptRuns.Losses("budgets-d64", "gpt+", "budget", $"{Budgets[budget]}"),
            Budgets[budget],
            Budgets[1..],
            [.. Budgets[1..].Select(tokens => KeptRuns.Losses("budgets-d64", "gpt+ clipped", "budget", $"{tokens}"))]));

    [Theory]
    [InlineData("angpt", "gpt+ clipped")]
    [InlineData("angpt", "gpt+")]
    [InlineData("gpt+ clipped", "gpt+")]
    public void Speed_ups_at_twenty_tokens_a_parameter(string side, string reference)
    {
        double[] budgets = [3_604_480, 14_417_920];
        AssertQuoted(OnFrontier(Runs(reference, budgets[1]), budgets[1], budgets, [.. budgets.Select(tokens => Runs(side, tokens))]));

        static IReadOnlyDictionary<long, double> Runs(string side, double budget) => KeptRuns.Losses("optimal-d64", side, "budget", $"{budget}");
    }

    [Theory]
    [InlineData("ladder-d384-curves", "ngpt", "gpt+")]
    [InlineData("ladder-d384-curves", "angpt", "gpt+")]
    [InlineData("austen-d64-curves", "angpt", "gpt+ clipped")]
    [InlineData("austen-d64-curves", "angpt", "gpt+")]
    [InlineData("austen-d64-curves", "gpt+ clipped", "gpt+")]
    [InlineData("austen-d64-curves", "ngpt", "gpt+")]
    [InlineData("optimal-d64-curves", "angpt", "gpt+ clipped")]
    [InlineData("optimal-d64-curves", "angpt", "gpt+")]
    [InlineData("optimal-d64-curves", "gpt+ clipped", "gpt+")]
    public void Speed_ups_in_a_run(string table, string side, string reference)
    {
        var (theirs, ours) = (KeptRuns.Curves(table, reference), KeptRuns.Curves(table, side));
        AssertQuoted(Text(Estimate.OfGeometricMean([.. theirs.Keys.Order().Select(seed => SpeedUp.InRun(theirs[seed], ours[seed]))])));
    }

    [Theory]
    [InlineData("gpt+")]
    [InlineData("gpt+ clipped")]
    [InlineData("angpt")]
    public void Curves_that_were_kept_end_with_the_losses_on_record(string side) => Assert.All(
        KeptRuns.Losses("optimal-d64", side, "budget", "14417920"),
        run => Assert.Equal(run.Value, KeptRuns.Curves("optimal-d64-curves", side)[run.Key].Final));

    [Fact]
    public void Curves_read_off_the_figure_end_with_the_losses_on_record()
        => Assert.All(new[] { "gpt+", "ngpt", "angpt" }, side => Assert.All(
            KeptRuns.Losses("ladder", side, "size", "d384"), run => Assert.Equal(run.Value, KeptRuns.Curves("ladder-d384-curves", side)[run.Key].Final, 1e-5)));

    [Theory]
    [InlineData("gpt+")]
    [InlineData("angpt")]
    public void Largest_batches(string side)
    {
        double[] batches = [16, 64];
        var losses = batches.Select(batch => KeptRuns.Losses("batch-d64", side, "batch", $"{batch}")).ToList();
        var ranges = Tolerance.BySeed(batches, losses.ConvertAll(ofBatch => ofBatch.OrderBy(run => run.Key).Select(run => run.Value).ToList()), 0.01);
        var largest = Estimate.OfGeometricMean([.. ranges.Select(range => new SeedValue(range.High))]);
        AssertQuoted(FormattableString.Invariant($"{largest.Value:f1} [{largest.Interval!.Low:f1}, {largest.Interval.High:f1}]"));
    }

    /// <summary>Draws docs/images/ladder-loss-difference.svg anew; run it with <c>-explicit only</c>.</summary>
    [Fact(Explicit = true)]
    public void The_figure_of_the_ladder_is_drawn_from_its_table()
    {
        (string Size, double Width)[] sizes = [("d64", 64), ("d128", 128), ("d256", 256), ("d384", 384)];
        using var chart = new Chart("Loss against GPT+ as published", "width d", "difference of the final loss (nats per token)", logX: true).Level("equal", 0);
        foreach (var (side, name) in new[] { ("ngpt", "nGPT"), ("angpt", "anGPT") })
        {
            var differences = sizes.Select(size => PairedDifference.Of(
                KeptRuns.Losses("ladder", "gpt+", "size", size.Size), KeptRuns.Losses("ladder", side, "size", size.Size))!).ToList();
            double[] widths = [.. sizes.Select(size => size.Width)];
            chart.Line(name, widths, differences.ConvertAll(difference => difference.Value)).Points(
                name,
                widths,
                differences.ConvertAll(difference => difference.Value),
                differences.ConvertAll(difference => difference.Interval!.Low),
                differences.ConvertAll(difference => difference.Interval!.High));
        }

        chart.Ticks([.. sizes.Select(size => size.Width)], [.. sizes.Select(size => $"{size.Width}")]);
        File.WriteAllText(Path.Combine(KeptRuns.Docs, "images", "ladder-loss-difference.svg"), chart.Svg());
    }

    private static string OnFrontier(
        IReadOnlyDictionary<long, double> reference, double budget, double[] budgets, IReadOnlyList<IReadOnlyDictionary<long, double>> losses)
        => Text(Estimate.OfGeometricMean(
            [.. reference.Keys.Order().Select(seed => SpeedUp.OnFrontier(
                budget, reference[seed], new AnnealedFrontier(budgets, [.. losses.Select(runs => runs[seed])])))]));

    private static string Text(Estimate estimate)
        => FormattableString.Invariant($"{estimate.Value:f2} [{estimate.Interval!.Low:f2}, {estimate.Interval.High:f2}]")
            + (estimate.IsExtrapolated ? " (extrapolated)" : "");

    private static string Text(PairedDifference difference)
    {
        return $"{Number(difference.Value)} [{Number(difference.Interval!.Low)}, {Number(difference.Interval.High)}]";

        static string Number(double value) => value.ToString("+0.000;-0.000;+0.000", CultureInfo.InvariantCulture);
    }

    private static void AssertQuoted(string text)
        => Assert.True(Page.ReplaceLineEndings(" ").Contains(text, StringComparison.Ordinal), $"docs/experiments.md does not have {text}.");
}
