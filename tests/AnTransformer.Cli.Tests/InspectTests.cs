using System.Text.Json;

namespace AnTransformer.Cli.Tests;

public sealed class InspectTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Fact]
    public void A_run_is_inspected_in_tables_json_and_a_folder_and_bad_input_is_refused()
    {
        _angpt.Train("--training.steps", "2", "--inspection.interval", "1", "--inspection.sequences", "2").AssertSucceeded();
        Assert.Equal([0, 1, 2], File.ReadLines(_angpt.In("run", "inspection.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt32()).Distinct());

        var text = _angpt.Run("inspect", "run", "--data", "data", "-o", "out").AssertSucceeded().Output;
        Assert.Matches(@"(?m)^\| h_M stream_after_mlp +\| +1\.000 \|", text);
        Assert.Matches(@"(?m)^\| attn_alpha +\| +1 \|", text);
        Assert.True(File.Exists(_angpt.In("out", "report.html")));
        Assert.True(File.Exists(_angpt.In("out", "stream.png")));

        var trained = _angpt.Run("inspect", "run", "--data", "corpus.txt", "--batches", "1", "--json").AssertSucceeded().Json;
        Assert.Equal(256, trained.GetProperty("tokens").GetInt64());
        var initial = _angpt.Run("inspect", "run", "--data", "data", "--initial", "--seed", "3", "--json").AssertSucceeded().Json;
        Assert.Equal(3, initial.GetProperty("initial_seed").GetInt64());
        Assert.All(initial.GetProperty("matrices").EnumerateArray(), matrix =>
            Assert.Equal(1, matrix.GetProperty("vector_norms").GetProperty("mean").GetDouble(), 1e-4));

        _angpt.Run("inspect", "run").AssertRejected("--data");
        _angpt.Run("inspect", "nowhere", "--data", "data").AssertRejected("nowhere");
        _angpt.Run("inspect", "run", "--data", "nothing").AssertRejected("nothing");
        _angpt.Run("inspect", "run", "--data", "data", "--batches", "0").AssertRejected("--batches");
        _angpt.Run("inspect", "run", "--data", "data", "-o", Path.Combine("corpus.txt", "out")).AssertRejected("corpus.txt");
        _angpt.Run("prepare", "corpus.txt", "-o", "foreign", "--tokenizer", "bytes", "--section-bytes", "512", "--validation-fraction", "0.2").AssertSucceeded();
        _angpt.Run("inspect", "run", "--data", "foreign").AssertRejected("vocabulary", "foreign");
    }

    public void Dispose() => _angpt.Dispose();
}
