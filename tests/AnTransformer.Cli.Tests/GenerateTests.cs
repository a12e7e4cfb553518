namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt generate</c> and <c>score</c> on own kernels, on a model trained once for the class.</summary>
public sealed class GenerateTests(CommandTests.TrainedModel model) : IClassFixture<CommandTests.TrainedModel>
{
    private static readonly string[] Greedy = ["generate", "run", "--prompt", "the cat", "--max-tokens", "60", "--temperature", "0"];
    private readonly Angpt _angpt = model.Angpt;

    [Fact]
    public void Own_kernels_and_LibTorch_draw_the_same_text_and_score_alike()
    {
        var text = _angpt.Run(Greedy).AssertSucceeded().Output;
        Assert.Equal(text, _angpt.Run([.. Greedy, "--compute-dtype", "fp32"]).AssertSucceeded().Output);
        Assert.Equal(text, _angpt.Run([.. Greedy, "--no-cache"]).AssertSucceeded().Output);
        Assert.Equal(text, _angpt.Run([.. Greedy, "--threads", "1"]).AssertSucceeded().Output);
        Assert.Equal(Loss("--compute-dtype", "fp32"), Loss(), 1e-5);
        Assert.Equal(Loss(), Loss("--dtype", "bf16"), 0.02);
        Assert.Equal(Loss(), Loss("--dtype", "q8_0"), 0.02);

        double Loss(params string[] options) => _angpt
            .Run(["score", "run", "--text", "the cat sees a red ball.", "--json", .. options]).AssertSucceeded().Json.GetProperty("loss").GetDouble();
    }

    [Fact]
    public void On_a_terminal_lines_are_asked_for_and_continued_until_an_empty_one()
    {
        Assert.SkipUnless(Angpt.Succeeds("command -v script"), "There is no script, which makes a terminal.");
        // A real terminal: what is typed is echoed by it, and both streams go to it.
        var result = _angpt.Shell(
            "printf 'the cat\\nthe red\\n\\n' | script -qec \"$angpt generate run --max-tokens 3 --temperature 0\" /dev/null").AssertSucceeded();
        var screen = result.Output.ReplaceLineEndings("\n");
        Assert.Contains("Type the beginning of a text; an empty line ends.", screen, StringComparison.Ordinal);
        foreach (var prompt in (string[])["the cat", "the red"])
        {
            var whole = _angpt.Run("generate", "run", "--prompt", prompt, "--max-tokens", "3", "--temperature", "0").AssertSucceeded().Output;
            Assert.StartsWith(prompt, whole, StringComparison.Ordinal);
            Assert.Contains(whole[prompt.Length..].ReplaceLineEndings("\n").TrimEnd(), screen, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void LibTorch_is_not_loaded()
    {
        // What it would be loaded from does not exist: commands that need it say so, and these do not.
        _angpt.Variables["ANTRANSFORMER_LIBTORCH"] = _angpt.In("no-such-folder");
        try
        {
            _angpt.Run(Greedy).AssertSucceeded();
            _angpt.Run("score", "run", "--tokens", "1,2,3").AssertSucceeded();
            _angpt.Run([.. Greedy, "--no-cache"]).AssertRejected("no-such-folder");
        }
        finally
        {
            _angpt.Variables.Remove("ANTRANSFORMER_LIBTORCH");
        }
    }

    [Fact]
    public void Text_ends_before_a_stop_text()
    {
        var whole = _angpt.Run([.. Greedy, "--json"]).AssertSucceeded().Json.GetProperty("text").GetString()!;
        var stop = whole.Substring(12, 5);
        var before = whole[..whole.IndexOf(stop, StringComparison.Ordinal)];
        var result = _angpt.Run([.. Greedy, "--json", "--stop", "never drawn", "--stop", stop]).AssertSucceeded().Json;
        Assert.Equal(before, result.GetProperty("text").GetString());
        Assert.Equal("the cat" + before, _angpt.Run([.. Greedy, "--stop", stop]).AssertSucceeded().Output.TrimEnd('\n', '\r'));
        _angpt.Run([.. Greedy, "--stop", ""]).AssertRejected("--stop");
    }

    [Fact]
    public void Logprobs_are_those_of_score()
    {
        var result = _angpt.Run("generate", "run", "--prompt", "the cat", "--temperature", "0", "--json", "--logprobs", "3", "--max-tokens", "6").AssertSucceeded().Json;
        var ids = result.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32()).ToList();
        var logprobs = result.GetProperty("logprobs").EnumerateArray().ToList();
        Assert.Equal(ids.Count, logprobs.Count);
        var prompt = _angpt.Run("score", "run", "--text", "the cat", "--json").AssertSucceeded().Json
            .GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32());
        var scores = _angpt.Run("score", "run", "--tokens", string.Join(',', prompt.Concat(ids)), "--json").AssertSucceeded().Json
            .GetProperty("logprobs").EnumerateArray().TakeLast(ids.Count).Select(value => value.GetDouble()).ToList();
        for (var i = 0; i < ids.Count; i++)
        {
            Assert.Equal(scores[i], logprobs[i].GetProperty("logprob").GetDouble(), 1e-4);
            var top = logprobs[i].GetProperty("top").EnumerateArray().ToList();
            Assert.Equal(3, top.Count);
            // Greedy: what was drawn is the most probable one, and to the bit.
            Assert.Equal(ids[i], top[0].GetProperty("id").GetInt32());
            Assert.Equal(logprobs[i].GetProperty("logprob").GetDouble(), top[0].GetProperty("logprob").GetDouble());
            Assert.True(top[1].GetProperty("logprob").GetDouble() >= top[2].GetProperty("logprob").GetDouble());
        }

        _angpt.Run([.. Greedy, "--logprobs", "3"]).AssertRejected("--json");
        _angpt.Run([.. Greedy, "--json", "--logprobs", "-1"]).AssertRejected("logprobs");
    }

    [Fact]
    public void A_prompt_may_come_from_standard_input()
    {
        var text = _angpt.Run(Greedy).AssertSucceeded().Output;
        Assert.Equal(text, _angpt.Shell("echo 'the cat' | $angpt generate run --max-tokens 60 --temperature 0").AssertSucceeded().Output);
        Assert.Equal(text, _angpt.Shell("printf 'the cat' | $angpt generate run --prompt - --max-tokens 60 --temperature 0").AssertSucceeded().Output);
        _angpt.Run("generate", "run").AssertRejected("standard input");
    }

    [Fact]
    public void A_high_minimum_draws_as_greedily_as_temperature_0_and_a_penalty_changes_the_text()
    {
        var greedy = _angpt.Run(Greedy).AssertSucceeded().Output;
        Assert.Equal(greedy, _angpt.Run([.. Greedy[..^1], "1", "--min-p", "1"]).AssertSucceeded().Output);
        Assert.NotEqual(greedy, _angpt.Run([.. Greedy, "--repetition-penalty", "2"]).AssertSucceeded().Output);
    }

    [Theory]
    [InlineData("--min-p", "1.5", "min-p")]
    [InlineData("--repetition-penalty", "0", "repetition-penalty")]
    [InlineData("--dtype", "f8", "f8")]
    [InlineData("--threads", "-1", "--threads")]
    public void Values_out_of_range_are_refused(string option, string value, string fragment)
        => _angpt.Run([.. Greedy, option, value]).AssertRejected(fragment);

    [Fact]
    public void A_dtype_and_a_compute_dtype_contradict_each_other()
        => _angpt.Run([.. Greedy, "--dtype", "bf16", "--compute-dtype", "bf16"]).AssertRejected("--dtype", "--compute-dtype");

    [Fact]
    public void Bench_reports_rates_memory_and_equality()
    {
        string[] small = ["--prefill-tokens", "20", "--prompt-tokens", "4", "--max-tokens", "3", "--rounds", "1", "--batch", "1", "2"];
        var result = _angpt.Run(["bench", "generate", "run", "--dtype", "f32", "q8_0", .. small, "--json"]).AssertSucceeded().Json;
        Assert.True(result.GetProperty("read_bytes_per_second").GetProperty("median").GetDouble() > 0);
        Assert.All(result.GetProperty("equality").EnumerateArray(), check => Assert.True(check.GetProperty("passed").GetBoolean()));
        var lines = result.GetProperty("contestants").EnumerateArray().ToList();
        Assert.Equal(["f32", "q8_0"], lines.Select(line => line.GetProperty("dtype").GetString()));
        foreach (var line in lines)
        {
            Assert.True(line.GetProperty("prefill_tokens_per_second").GetProperty("median").GetDouble() > 0);
            Assert.True(line.GetProperty("decode_tokens_per_second").GetProperty("2").GetProperty("median").GetDouble() > 0);
            Assert.True(line.GetProperty("process_seconds").GetProperty("median").GetDouble() > 0);
            Assert.True(line.GetProperty("cache_bytes").GetInt64() > 0);
        }

        Assert.Equal(0, lines[0].GetProperty("packed_bytes").GetInt64());
        Assert.True(lines[1].GetProperty("bytes_per_token").GetInt64() < lines[0].GetProperty("bytes_per_token").GetInt64() / 3);
        Assert.Contains("decode x 2", _angpt.Run(
            ["bench", "generate", "angpt", "--hidden-size", "32", "--layers", "1", "--heads", "2", "--context", "32", "--vocab-size", "64",
                .. small, "--no-process"]).AssertSucceeded().Output, StringComparison.Ordinal);
        _angpt.Run("bench", "generate", "run", "--prefill-tokens", "33").AssertRejected("context of 32");
        _angpt.Run("bench", "generate", "bert").AssertRejected("bert");
    }
}
