using AnTransformer.Studies.Scaling;

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
    public void Compute_and_loss_are_enough_for_a_law_of_compute()
    {
        var table = ScalingTable.Of(CsvTable.Parse("C,loss\n1e18,3\n", "t.csv"), new() { Flops = "C" }, computeOnly: true);
        Assert.Equal((1e18, 3), (table.Points[0].Compute, table.Points[0].Loss));
    }

    private static ScalingTable Read(string text, ScalingColumns columns) => ScalingTable.Of(CsvTable.Parse(text, "t.csv"), columns);
}
