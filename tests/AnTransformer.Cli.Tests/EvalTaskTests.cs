using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt eval --tasks</c>, and tasks of a run.</summary>
public sealed class EvalTaskTests(CommandTests.TrainedModel model) : IClassFixture<CommandTests.TrainedModel>
{
    private readonly Angpt _angpt = model.Angpt;

    [Fact]
    public void Results_are_those_of_score_and_have_the_form_of_the_harness()
    {
        Directory.CreateDirectory(_angpt.In("sets/hellaswag"));
        File.WriteAllText(_angpt.In("sets/hellaswag/hellaswag_val.jsonl"), """
            {"activity_label":"Cats","ctx_a":"The cat","ctx_b":"sees","endings":["the dog","a house","xqzz kjw"],"label":0}
            {"activity_label":"Cats","ctx_a":"The cat","ctx_b":"sees","endings":["xqzz kjw","the dog"],"label":"0"}
            """);
        var expected = 0.0;
        foreach (var (endings, label) in new[] { (new[] { "the dog", "a house", "xqzz kjw" }, 0), (["xqzz kjw", "the dog"], 0) })
        {
            // The context is the same, so whole texts may be compared.
            var sums = endings.Select(ending => _angpt.Run("score", "run", "--text", $"Cats: The cat Sees {ending}", "--json").AssertSucceeded()
                .Json.GetProperty("logprobs").EnumerateArray().Skip(1).Sum(value => value.GetDouble())).ToList();
            expected += sums.IndexOf(sums.Max()) == label ? 0.5 : 0;
        }

        var result = _angpt.Run("eval", "run", "--tasks", "hellaswag", "--task-data", "sets", "--json", "--output", "out/results.json").AssertSucceeded();
        var figures = result.Json.GetProperty("results").GetProperty("hellaswag");
        Assert.Equal(expected, figures.GetProperty("acc,none").GetDouble());
        Assert.True(figures.TryGetProperty("acc_norm_stderr,none", out _));
        Assert.Equal(2, result.Json.GetProperty("n-samples").GetProperty("hellaswag").GetProperty("effective").GetInt32());
        Assert.Equal(0, result.Json.GetProperty("n-shot").GetProperty("hellaswag").GetInt32());
        var written = JsonDocument.Parse(File.ReadAllText(_angpt.In("out/results.json"))).RootElement;
        Assert.Equal(expected, written.GetProperty("results").GetProperty("hellaswag").GetProperty("acc,none").GetDouble());

        var table = _angpt.Run("eval", "run", "--tasks", "hellaswag", "--task-data", "sets", "--limit", "1").AssertSucceeded().Output;
        Assert.Contains("| hellaswag |", table, StringComparison.Ordinal);
        Assert.Contains("acc_norm", table, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_asks_at_its_interval_and_at_its_end_and_not_again()
    {
        Directory.CreateDirectory(_angpt.In("sets/blimp"));
        File.WriteAllText(_angpt.In("sets/blimp/order.jsonl"), """
            {"sentence_good":"the cat sees a dog","sentence_bad":"the sees cat a dog"}
            {"sentence_good":"a dog likes the house","sentence_bad":"a likes dog the house"}
            """);
        File.WriteAllText(_angpt.In("words.jsonl"), """{"q":"the cat","a":["sees","xq"],"label":0}""");
        File.WriteAllText(_angpt.In("words.yaml"), "file: words.jsonl\nprompt: '{q}'\nchoices: ['{a}']\n");
        string[] arguments =
        [
            "--training.output", "asked", "--training.steps", "10", "--evaluation.tasks", "blimp,words.yaml", "--evaluation.task_data", "sets",
            "--evaluation.task_interval", "4",
        ];
        _angpt.Train(arguments).AssertSucceeded();
        var before = Tasks();
        Assert.Equal([4, 8, 10], before.Select(record => record.GetProperty("step").GetInt32()).Order());
        Assert.All(before, record =>
        {
            var tasks = record.GetProperty("tasks");
            Assert.InRange(tasks.GetProperty("blimp/acc").GetDouble(), 0, 1);
            Assert.Equal(tasks.GetProperty("blimp/acc").GetDouble(), tasks.GetProperty("blimp_order/acc").GetDouble());
            Assert.InRange(tasks.GetProperty("words/acc_norm").GetDouble(), 0, 1);
        });
        _angpt.Train(arguments).AssertSucceeded();
        Assert.Equal(3, Tasks().Count);
        var last = before.Single(record => record.GetProperty("step").GetInt32() == 10).GetProperty("tasks").GetProperty("blimp/acc").GetDouble();
        var evaluated = _angpt.Run("eval", "asked/checkpoints/step-00000010", "--tasks", "blimp", "--task-data", "sets", "--json").AssertSucceeded();
        Assert.Equal(last, evaluated.Json.GetProperty("groups").GetProperty("blimp").GetProperty("acc,none").GetDouble());

        List<JsonElement> Tasks() => [.. File.ReadLines(_angpt.In("asked/metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.TryGetProperty("tasks", out _))];
    }

    [Theory]
    [InlineData("eval run --tasks blimp", "--task-data")]
    [InlineData("eval run --tasks mmlu --task-data sets", "mmlu")]
    [InlineData("eval run --tasks piqa --task-data nowhere", "no such directory")]
    [InlineData("eval run --tasks piqa --task-data . --device cpu", "--device does not belong to --tasks")]
    [InlineData("eval run --data data --limit 3", "--limit belongs to --tasks")]
    [InlineData("eval run --tasks none.yaml --task-data .", "none.yaml")]
    [InlineData("eval run --tasks piqa --task-data . --limit -1", "--limit")]
    [InlineData("train --training.steps 3 --evaluation.tasks blimp", "evaluation.task_data")]
    [InlineData(
        "train --training.steps 8 --distributed.sync_every 4 --evaluation.interval 4 --evaluation.task_interval 3",
        "evaluation.task_interval 3 is no multiple of distributed.sync_every 4")]
    [InlineData("train --training.steps 3 --evaluation.tasks nothing --evaluation.task_data .", "nothing")]
    public void Bad_arguments_are_refused(string line, string fragment) => _angpt.Run(line.Split(' ')).AssertRejected(fragment);
}
