using System.Text.Json;

namespace AnTransformer.Cli.Tests;

public sealed class ScaleTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Fact]
    public void A_known_step_is_predicted_for_every_number_of_processes_that_can_share_it()
    {
        var result = Scale("--step-seconds", "2", "--bandwidth", "1", "--json").AssertSucceeded().Json;
        var rows = result.GetProperty("scenarios").EnumerateArray()
            .ToDictionary(row => row.GetProperty("name").GetString()!, row => Cells(row, "step_seconds"));
        // Eight sequences: one, two, four or eight processes.
        Assert.All(rows.Values, steps => Assert.Equal(4, steps.Count));
        Assert.All(rows.Values, steps => Assert.Equal(2, steps[0], 1e-9));
        Assert.True(rows["sums after"][1] > rows["sums beside"][1]);
        Assert.True(rows["bf16 gradients"][3] < rows["sums beside"][3]);
        Assert.True(rows["sync_every 128"][3] < rows["sync_every 8"][3]);
        Assert.Equal(rows["sums beside"], rows["as configured"]);
        var sharded = Scale("--step-seconds", "2", "--distributed.shard_optimizer", "true", "--json").AssertSucceeded().Json;
        var configured = sharded.GetProperty("scenarios")[0];
        Assert.Equal("as configured", configured.GetProperty("name").GetString());
        Assert.Equal(
            Cells(configured, "step_seconds"),
            Cells(sharded.GetProperty("scenarios").EnumerateArray().Single(
                row => row.GetProperty("name").GetString() == "shard_optimizer"), "step_seconds"));
    }

    [Fact]
    public void A_measured_step_is_shown_in_eighty_columns()
    {
        var output = Scale("--weak", "--ranks-per-host", "2").AssertSucceeded().Output;
        Assert.Contains("1024", output, StringComparison.Ordinal);
        Assert.Contains("sync_every 128", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n').Skip(1), line => Assert.InRange(line.Length, 0, 80));
        Scale("--bandwidth", "0").AssertRejected("--bandwidth");
    }

    public void Dispose() => _angpt.Dispose();

    private static List<double> Cells(JsonElement row, string name)
        => [.. row.GetProperty("cells").EnumerateArray().Select(cell => cell.GetProperty(name).GetDouble())];

    private Angpt.Result Scale(params string[] options) => _angpt.Run(
        [
            "scale", "--model.hidden_size", "32", "--model.num_attention_heads", "2", "--model.num_hidden_layers", "2",
            "--model.max_position_embeddings", "32", "--tokenizer.vocab_size", "300", "--training.batch_size", "8", .. options,
        ]);
}
