namespace AnTransformer.Cli.Tests;

public sealed class BadInputTests : IDisposable
{
    private readonly Angpt _angpt = new();

    [Fact]
    public void Help_version_and_argument_errors_do_not_load_LibTorch()
    {
        // With a LibTorch folder that does not exist, whatever touches LibTorch fails.
        _angpt.Variables["ANTRANSFORMER_LIBTORCH"] = _angpt.In("no-such-folder");
        Assert.Contains("prepare", _angpt.Run("--help").AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Contains("--learning-rate", _angpt.Run("train", "--help").AssertSucceeded().Output, StringComparison.Ordinal);
        Assert.Matches(@"^\d+\.\d+\.\d+", _angpt.Run("--version").AssertSucceeded().Output);
        _angpt.Run("trian").AssertRejected("'train'");
        _angpt.Run("train", "--optimizer.learning_rat", "1").AssertRejected("--learning-rate");
        _angpt.Run("train", "--optimizer.learning_rate", "fast").AssertRejected("learning_rate", "fast");
        _angpt.Run("train", "nowhere.yaml").AssertRejected("nowhere.yaml");
        var checkpoint = Path.Combine(AppContext.BaseDirectory, "fixtures", "angpt");
        _angpt.Run("score", checkpoint, "--tokens", "1").AssertSucceeded();
        _angpt.Run("score", checkpoint, "--tokens", "1", "--compute-dtype", "fp32").AssertRejected("no-such-folder");
    }

    [Theory]
    [InlineData("model:\n  hidden_size: 129\n", "hidden_size", "divisible")]
    [InlineData("model:\n  hidden_size: 36\n  num_attention_heads: 4\n", "odd")]
    [InlineData("model:\n  hiden_size: 128\n", "hidden_size", ":2:")]
    [InlineData("model:\n  hidden_size: wide\n", "hidden_size", "wide")]
    [InlineData("model:\n  architecture: gtp\n", "gtp", "gpt")]
    [InlineData("optimizer:\n  learning_rate: -1\n", "learning_rate", "-1")]
    [InlineData("optimiser:\n  learning_rate: 1\n", "optimizer")]
    [InlineData("model: [1, 2\n", "bad.yaml")]
    [InlineData("model:\n  hidden_size: 64\n  hidden_size: 64\n", "bad.yaml", "hidden_size")]
    [InlineData("- just\n- a list\n", "bad.yaml")]
    public void A_bad_configuration_is_refused_with_the_place(string yaml, params string[] fragments)
    {
        File.WriteAllText(_angpt.In("bad.yaml"), yaml);
        _angpt.Run("train", "bad.yaml").AssertRejected(fragments);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_refused()
        => _angpt.Train("--training.output", "/proc/angpt/run").AssertRejected("/proc/angpt/run");

    [Fact]
    public void Damaged_shards_are_refused_with_the_file()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        var shard = _angpt.In("data", "train-000000.bin");
        var bytes = File.ReadAllBytes(shard);

        Train(bytes[..^2]).AssertRejected("train-000000.bin");
        Train(bytes[..100]).AssertRejected("train-000000.bin");
        Train([1, 2, 3, 4, .. bytes[4..]]).AssertRejected("train-000000.bin", "magic");
        Train([.. bytes[..4], 9, 0, 0, 0, .. bytes[8..]]).AssertRejected("train-000000.bin", "version");
        Train([.. bytes[..1024], .. Enumerable.Repeat((byte)0xff, bytes.Length - 1024)]).AssertRejected("train-000000.bin", "65535");

        Angpt.Result Train(byte[] content)
        {
            File.WriteAllBytes(shard, content);
            return _angpt.Train("--training.steps", "2", "--training.output", "damaged");
        }
    }

    [Fact]
    public void A_validation_split_smaller_than_a_window_is_refused()
        => _angpt.Train("--model.max_position_embeddings", "20000").AssertRejected("window");

    [Fact]
    public void Prepared_data_of_other_settings_is_not_used_silently()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        _angpt.Train("--training.output", "second", "--tokenizer.vocab_size", "310").AssertRejected("data", "settings");
    }

    [Fact]
    public void Data_that_do_not_say_what_they_are_of_are_not_used_silently()
    {
        _angpt.Run("prepare", "corpus.txt", "-o", "data", "--tokenizer", "bytes", "--section-bytes", "512", "--validation-fraction", "0.2").AssertSucceeded();
        _angpt.Train("--training.steps", "1").AssertRejected("settings.json", "--data.text []");
        _angpt.Train("--training.steps", "1", "--data.text", "[]").AssertSucceeded();
    }

    [Fact]
    public void A_damaged_mark_of_the_best_checkpoint_does_not_end_a_run()
    {
        _angpt.Train("--training.steps", "3").AssertSucceeded();
        File.WriteAllText(_angpt.In("run", "checkpoints", "best.json"), "{\"step\":-1}");
        _angpt.Train("--training.steps", "3").AssertSucceeded();
        _angpt.Run("info", "run").AssertSucceeded();
    }

    [Fact]
    public void Foreign_shards_train_without_a_tokenizer()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        Directory.CreateDirectory(_angpt.In("foreign"));
        File.Copy(_angpt.In("data", "train-000000.bin"), _angpt.In("foreign", "books_train_000000.bin"));
        File.Copy(_angpt.In("data", "val-000000.bin"), _angpt.In("foreign", "books_val_000000.bin"));
        var result = _angpt.Train("--data.path", "foreign", "--data.text", "", "--training.output", "foreign-run", "--json").AssertSucceeded().Json;
        Assert.Equal(System.Text.Json.JsonValueKind.Null, result.GetProperty("bits_per_byte").ValueKind);
    }

    public void Dispose() => _angpt.Dispose();
}
