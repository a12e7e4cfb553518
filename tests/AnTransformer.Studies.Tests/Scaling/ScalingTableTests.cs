using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Tests.Scaling;

public sealed class ScalingTableTests
{
    [Fact]
    public void Compute_is_six_times_parameters_times_tokens()
    {
        var point = Assert.Single(Read("params,tokens,loss\n1e6,2e7,3.5\n", new()).Points);
        Assert.Equal(new ScalingPoint(1e6, 2e7, 1.2e14, 3.5), point with { LearningRate = point.LearningRate });
    }

    [Theory]
    [InlineData("Model Size,Training FLOP,loss\n1e6,1.2e14,3.5\n", "model size", null)]
    [InlineData("D,Training FLOP,loss\n2e7,1.2e14,3.5\n", null, "D")]
    public void What_is_missing_follows_from_compute(string text, string? parameters, string? tokens)
    {
        var table = Read(text, new() { Parameters = parameters, Tokens = tokens, Flops = "Training FLOP" });

        Assert.Equal(1e6, table.Points[0].Parameters, 1e-6);
        Assert.Equal(2e7, table.Points[0].Tokens, 1e-6);
        Assert.Single(table.Notes);
    }

    [Fact]
    public void Incomplete_rows_are_left_out_when_asked()
    {
        const string Text = "params,tokens,loss,arch\n1e6,2e7,3.5,a\n1e6,2e7,,a\n1e6,inf,2,a\n1e6,2e7,3.4,\n1e6,2e7,nan,b\n2e6,2e7,3,b\n";
        var table = ScalingTable.Of(CsvTable.Parse(Text, "t.csv"), new() { Group = "arch" }, skipIncomplete: true);

        Assert.Equal(["a", "b"], table.Points.Select(point => point.Group));
        Assert.Contains("4 of 6 rows", Assert.Single(table.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("N,tokens,loss\n1,2,3\n", "no column 'params'")]
    [InlineData("params,D,loss\n1,2,3\n", "no column 'tokens'")]
    [InlineData("flops,x,loss\n1,2,3\n", "no column 'flop'; did you mean 'flops'?")]
    [InlineData("flop,x,loss\n1,2,3\n", "no column 'params'")]
    [InlineData("params,tokens,lost,flop\n1,2,3,4\n", "no column 'loss'; did you mean 'lost'?")]
    [InlineData("params,tokens,loss,flop,arch\n1,2,3,4,\n", "the group is missing")]
    public void Missing_columns_are_refused(string text, string fragment)
    {
        var columns = new ScalingColumns
        {
            Flops = text.Contains("flop", StringComparison.Ordinal) ? "flop" : null,
            Group = text.Contains("arch", StringComparison.Ordinal) ? "arch" : null,
        };
        Assert.Contains(fragment, Assert.Throws<InvalidInputException>(() => Read(text, columns)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_of_a_german_spreadsheet_is_read()
    {
        // Losses have three decimals and parameters points between thousands; tokens alone could be read either way.
        const string Text = "params;tokens;loss\r\n1.400.000;1.234;3,123\r\n2.800.000;2.468;2,987\r\n";
        Assert.Equal([(1.4e6, 1234, 3.123), (2.8e6, 2468, 2.987)], Read(Text, new()).Points.Select(point => (point.Parameters, point.Tokens, point.Loss)));
        Assert.Contains(
            "t.csv:2: column 'loss': '3,12' has a decimal comma",
            Assert.Throws<InvalidInputException>(() => Read("params;tokens;loss\n1e6;2.5e7;3,12\n", new())).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ppl", true)]
    [InlineData("val_perplexity", true)]
    [InlineData("Test PPL", true)]
    [InlineData("log_ppl", false)]
    [InlineData("ln(perplexity)", false)]
    [InlineData("apple", false)]
    public void Perplexities_are_not_taken_for_losses(string column, bool isRefused)
    {
        var text = $"params,tokens,{column}\n1e6,2e7,3.5\n";
        if (isRefused)
            Assert.Contains($"column '{column}' holds perplexities", Assert.Throws<InvalidInputException>(() => Read(text, new() { Loss = column })).Message, StringComparison.Ordinal);
        else
            Assert.Equal(3.5, Read(text, new() { Loss = column }).Points[0].Loss);
    }

    [Fact]
    public void Losses_that_look_like_perplexities_are_warned_of()
    {
        var points = Runs.IsoFlops(Runs.Besiroglu, noise: 0.001);
        Assert.DoesNotContain(Runs.Fit(points).Groups[0].Warnings, warning => warning.Contains("perplexities", StringComparison.Ordinal));
        var perplexities = points.ConvertAll(point => point with { Loss = Math.Exp(point.Loss) + 6 });
        Assert.Contains(Runs.Fit(perplexities).Groups[0].Warnings, warning => warning.Contains("if these are perplexities", StringComparison.Ordinal));
    }

    [Fact]
    public void Compute_and_loss_are_enough_for_a_law_of_compute()
    {
        var table = ScalingTable.Of(CsvTable.Parse("C,loss\n1e18,3\n", "t.csv"), new() { Flops = "C" }, computeOnly: true);
        Assert.Equal((1e18, 3), (table.Points[0].Compute, table.Points[0].Loss));
    }

    private static ScalingTable Read(string text, ScalingColumns columns) => ScalingTable.Of(CsvTable.Parse(text, "t.csv"), columns);
}
