using System.Text;

namespace AnTransformer.Cli.Tests;

public sealed class ForeignFilesTests : IDisposable
{
    private static readonly string Fixture = Path.Combine(AppContext.BaseDirectory, "fixtures", "angpt");

    private readonly Angpt _angpt = new();

    public void Dispose() => _angpt.Dispose();

    [Fact]
    public void Info_describes_weights_whatever_they_hold()
    {
        Write("empty.safetensors", "{}", 0);
        Assert.Contains("tensors  0", _angpt.Run("info", "empty.safetensors").AssertSucceeded().Output, StringComparison.Ordinal);
        Write("odd.safetensors", """{"tensors":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]},"a_b":{"dtype":"U8","shape":[1],"data_offsets":[5,6]}}""", 6);
        var json = _angpt.Run("info", "odd.safetensors", "--json").AssertSucceeded().Json;
        Assert.Equal(3, json.GetProperty("tensors").GetInt32());
        Assert.Equal(4, json.EnumerateObject().Count());
    }

    [Fact]
    public void Checkpoints_of_other_libraries_are_named()
    {
        Directory.CreateDirectory(_angpt.In("sharded"));
        File.WriteAllText(_angpt.In("sharded", "model.safetensors.index.json"), "{}");
        _angpt.Run("score", "sharded", "--tokens", "1").AssertRejected("spread over several files");
        File.WriteAllText(_angpt.In("model.gguf"), "GGUF");
        _angpt.Run("info", "model.gguf").AssertRejected("GGUF");
        _angpt.Run("score", "model.gguf", "--tokens", "1").AssertRejected("GGUF");
        File.WriteAllText(_angpt.In("pytorch_model.bin"), "PK");
        _angpt.Run("info", "pytorch_model.bin").AssertRejected("PyTorch");
        _angpt.Run("score", Path.Combine(Fixture, "model.safetensors"), "--tokens", "1").AssertRejected("is a file", "directory");
    }

    [Theory]
    [InlineData("\"vocab\\ud800\": 1, ", "a key is not valid Unicode")]
    [InlineData("\"constraint\": \"\\ud800\", ", "constraint is not valid Unicode")]
    public void Half_a_surrogate_pair_in_a_configuration_is_refused(string member, string message)
    {
        Directory.CreateDirectory(_angpt.In("bad"));
        var text = File.ReadAllText(Path.Combine(Fixture, "config.json")).Replace("\"constraint\": \"bounded\",", "", StringComparison.Ordinal);
        File.WriteAllText(_angpt.In("bad", "config.json"), text.Insert(text.IndexOf('{', StringComparison.Ordinal) + 1, member));
        _angpt.Run("info", Path.Combine("bad", "config.json")).AssertRejected("config.json", message);
    }

    [Fact]
    public void A_model_with_more_ids_than_its_tokenizer_is_usable_and_data_beyond_the_tokenizer_is_refused()
    {
        // A checkpoint of 600 ids, the tokenizer of which is then exchanged for one of 257.
        _angpt.Train("--training.steps", "1", "--tokenizer.vocab_size", "600").AssertSucceeded();
        File.WriteAllText(_angpt.In("plain.txt"), "some text to read, and some more\n\n" + new string('x', 400));
        _angpt.Run("prepare", "plain.txt", "--tokenizer", "bytes", "-o", "bytes", "--validation-fraction", "0").AssertSucceeded();
        var checkpoint = Directory.GetDirectories(_angpt.In("run", "checkpoints")).Order(StringComparer.Ordinal).Last();
        File.Copy(_angpt.In("bytes", "tokenizer.json"), Path.Combine(checkpoint, "tokenizer.json"), overwrite: true);

        _angpt.Run("eval", checkpoint, "--data", _angpt.In("data", "train-000000.bin"), "--batches", "1").AssertRejected("train-000000.bin", "257");
        _angpt.Run("eval", checkpoint, "--data", _angpt.In("bytes", "train-000000.bin"), "--batches", "1").AssertSucceeded();
        var drawn = _angpt.Run("generate", checkpoint, "--prompt", "the", "--max-tokens", "60", "--temperature", "5", "--ignore-end-of-text", "--json")
            .AssertSucceeded().Json.GetProperty("tokens");
        Assert.All(drawn.EnumerateArray(), token => Assert.InRange(token.GetInt32(), 0, 256));
    }

    [Fact]
    public void End_of_text_and_special_tokens_are_chosen_by_options()
    {
        File.WriteAllText(_angpt.In("one.txt"), "a<|endoftext|>b");
        var plain = Prepare("plain");
        Assert.Equal("<|endoftext|>", plain.GetProperty("end_of_text").GetString());
        Assert.Equal(16, plain.GetProperty("train_tokens").GetInt64());
        Assert.Equal(4, Prepare("recognized", "--special-tokens", "recognized").GetProperty("train_tokens").GetInt64());
        _angpt.Run("prepare", "one.txt", "-o", "x", "--tokenizer", "bytes", "--end-of-text", "a").AssertRejected("--end-of-text");
        _angpt.Run("prepare", "one.txt", "-o", "x", "--tokenizer", Path.Combine("plain", "tokenizer.json"), "--end-of-text", "<none>")
            .AssertRejected("<none>", "not in the vocabulary");
        _angpt.Run("prepare", "one.txt", "-o", "x", "--special-tokens", "maybe").AssertRejected("maybe");

        System.Text.Json.JsonElement Prepare(string output, params string[] options) => _angpt
            .Run(["prepare", "one.txt", "-o", output, "--tokenizer", "bytes", "--validation-fraction", "0", "--json", .. options]).AssertSucceeded().Json;
    }

    private void Write(string name, string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(_angpt.In(name), [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[dataBytes]]);
    }
}
