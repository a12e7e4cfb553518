using AnTransformer.Checkpoints;

namespace AnTransformer.Cli.Tests;

public sealed class ScoreTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public static TheoryData<string> Fixtures => new("gpt", "gpt-plus", "ngpt", "angpt", "angpt-no-qk-norm");

    [Theory]
    [MemberData(nameof(Fixtures))]
    public void Log_probabilities_equal_those_of_an_independent_implementation(string fixture)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "fixtures", fixture);
        using var expected = SafetensorsFile.Open(Path.Combine(path, "expected.safetensors"));
        var tokens = new long[24];
        var logits = new float[2 * 12 * 37];
        expected.CopyTo("tokens", tokens);
        expected.CopyTo("logits", logits);

        // Nothing but config.json and model.safetensors may be needed.
        var bare = Directory.CreateDirectory(_angpt.In("bare")).FullName;
        File.Copy(Path.Combine(path, "config.json"), Path.Combine(bare, "config.json"));
        File.Copy(Path.Combine(path, "model.safetensors"), Path.Combine(bare, "model.safetensors"));
        var result = _angpt.Run("score", bare, "--tokens", string.Join(',', tokens[..12]), "--json").AssertSucceeded().Json;

        var logprobs = result.GetProperty("logprobs").EnumerateArray().ToList();
        Assert.Equal(tokens[..12], result.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt64()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, logprobs[0].ValueKind);
        var sum = 0.0;
        for (var i = 1; i < 12; i++)
        {
            var row = logits.AsSpan((i - 1) * 37, 37).ToArray();
            var logProbability = row[tokens[i]] - Math.Log(row.Sum(logit => Math.Exp(logit)));
            Assert.Equal(logProbability, logprobs[i].GetDouble(), 1e-5);
            sum -= logProbability;
        }

        Assert.Equal(sum / 11, result.GetProperty("loss").GetDouble(), 1e-5);
    }

    [Fact]
    public void One_token_has_no_probability()
    {
        var result = _angpt.Run("score", Fixture, "--tokens", "5", "--json").AssertSucceeded();
        Assert.Equal("""{"tokens":[5],"logprobs":[null],"loss":null}""", result.Output.Trim());
    }

    [Theory]
    [InlineData("5,37", "37", "vocabulary")]
    [InlineData("5,-1", "-1", "vocabulary")]
    [InlineData("5,x", "'x'", "whole number")]
    [InlineData("", "''", "whole number")]
    [InlineData("1,2,3,4,5,6,7,8,9,10,11,12,13", "13", "context of 12")]
    public void Unusable_tokens_are_refused(string tokens, params string[] fragments)
        => _angpt.Run("score", Fixture, "--tokens", tokens).AssertRejected(fragments);

    [Fact]
    public void Text_needs_a_tokenizer() => _angpt.Run("score", Fixture, "--text", "hello").AssertRejected("tokenizer.json");

    [Fact]
    public void Damaged_checkpoints_are_refused_with_the_file_and_the_place()
    {
        _angpt.Run("score", _angpt.In("nowhere"), "--tokens", "1").AssertRejected("nowhere");
        Damaged(weights => weights[..4]).AssertRejected("model.safetensors");
        Damaged(weights => [.. BitConverter.GetBytes(1L << 40), .. weights[8..]]).AssertRejected("model.safetensors");
        Damaged(weights => weights[..^100]).AssertRejected("model.safetensors");
        Damaged(weights => [.. weights[..^4], 0, 0, 0xc0, 0x7f]).AssertRejected("model.safetensors", "nan");
        Damaged(weights => weights, config => config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1")).AssertRejected("model.layers.1");
        Damaged(weights => weights, config => config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")).AssertRejected("missing");
        Damaged(weights => weights, config => config.Replace("\"vocab_size\": 37", "\"vocab_size\": 38")).AssertRejected("shape");
        Damaged(weights => weights, config => config.Replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 5")).AssertRejected("config.json", "divisible");
        Damaged(weights => weights, config => config.Replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 32")).AssertRejected("config.json", "odd");
        Damaged(weights => weights, config => config.Replace("hidden_size", "hiden_size")).AssertRejected("config.json", "hiden_size");
        Damaged(weights => weights, config => config.Replace("angpt", "bert")).AssertRejected("config.json", "bert");
        Damaged(weights => weights, config => config[..^10]).AssertRejected("config.json", "JSON");
        Damaged(weights => weights, config => config.Replace("\"vocab_size\": 37", "\"vocab_size\": 2000000000")).AssertRejected("model.safetensors");
    }

    public void Dispose() => _angpt.Dispose();

    private static string Fixture => Path.Combine(AppContext.BaseDirectory, "fixtures", "angpt");

    private Angpt.Result Damaged(Func<byte[], byte[]> weights, Func<string, string>? config = null)
    {
        var path = Directory.CreateDirectory(_angpt.In("damaged")).FullName;
        File.WriteAllBytes(Path.Combine(path, "model.safetensors"), weights(File.ReadAllBytes(Path.Combine(Fixture, "model.safetensors"))));
        var text = File.ReadAllText(Path.Combine(Fixture, "config.json"));
        File.WriteAllText(Path.Combine(path, "config.json"), config is null ? text : config(text));
        return _angpt.Run("score", path, "--tokens", "1,2,3");
    }
}
