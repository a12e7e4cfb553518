using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt bench</c> at a size at which its times mean nothing: what it reports, never how fast.</summary>
public sealed class BenchTests : IDisposable
{
    private static readonly string[] Tiny =
    [
        "--hidden-size", "16", "--layers", "2", "--heads", "2", "--context", "8", "--batch-size", "2", "--vocab-size", "32", "--rounds", "2", "--threads", "1",
    ];

    private readonly Angpt _angpt = new();

    [Fact]
    public void The_machine_is_described_and_its_products_are_measured_once()
    {
        _angpt.Variables["XDG_CACHE_HOME"] = _angpt.In("cache");
        var first = _angpt.Run("info", "--machine", "--json").AssertSucceeded().Json;
        Assert.True(first.GetProperty("multiplier_peak_gflops").GetDouble() > 0.1);
        Assert.True(first.GetProperty("memory_read_gb_per_s").GetDouble() > 0.01);
        Assert.Equal(
            ["small A Bᵀ", "large A Bᵀ", "small A B", "large A B", "small Aᵀ B", "large Aᵀ B", "attention"], Names(first.GetProperty("products"), "name"));
        Assert.All(first.GetProperty("products").EnumerateArray(), product => Assert.True(product.GetProperty("own_gflops").GetDouble() > 0));
        Assert.True(first.GetProperty("compute_dtype_bf16").GetProperty("bf16").GetDouble() > 0);
        var table = _angpt.Run("info", "--machine").AssertSucceeded().Output;
        Assert.Contains("small A Bᵀ", table, StringComparison.Ordinal);
        Assert.Matches("compute dtype bf16 +(pays|does not pay) \\(fp32", table);
        var record = first.GetProperty("record").GetString()!;
        Assert.StartsWith(_angpt.In("cache"), record, StringComparison.Ordinal);
        var measured = File.ReadAllText(record);
        var second = _angpt.Run("info", "--machine", "--json").AssertSucceeded().Json;
        Assert.Equal(measured, File.ReadAllText(record));
        Assert.Equal(first.GetProperty("matrix_products").GetString(), second.GetProperty("matrix_products").GetString());
        _angpt.Variables["ANTRANSFORMER_GEMM"] = "own";
        Assert.Equal("own", _angpt.Run("info", "--machine", "--json").AssertSucceeded().Json.GetProperty("matrix_products").GetString());
        _angpt.Variables["ANTRANSFORMER_GEMM"] = "fast";
        _angpt.Run("info", "--machine").AssertRejected("own, blas or auto");
        _angpt.Train().AssertRejected("ANTRANSFORMER_GEMM is 'fast'");
    }

    [Fact]
    public void Json_has_checks_times_phases_memory_and_ratios()
    {
        var result = Bench("gpt+", "angpt", "--intermediate-size", "24", "--seed", "5", "--json").AssertSucceeded().Json;
        Assert.Equal(24, result.GetProperty("settings").GetProperty("intermediate_size").GetInt32());
        Assert.Equal(16, result.GetProperty("settings").GetProperty("tokens_per_step").GetInt32());
        Assert.Equal(1, result.GetProperty("settings").GetProperty("threads").GetInt32());
        Assert.All(result.GetProperty("equality").EnumerateArray(), check => Assert.True(check.GetProperty("passed").GetBoolean()));
        Assert.Equal(["gpt+", "angpt"], Names(result.GetProperty("equality"), "architecture"));
        Assert.True(result.GetProperty("matmul_flops_per_second").GetDouble() > 0);
        Assert.True(result.GetProperty("copy_bytes_per_second").GetDouble() > 0);

        var contestants = result.GetProperty("contestants");
        Assert.Equal(["gpt+", "gpt+-eager", "angpt", "angpt-eager"], Names(contestants, "name"));
        foreach (var contestant in contestants.EnumerateArray())
        {
            var seconds = contestant.GetProperty("seconds_per_step");
            Assert.InRange(seconds.GetProperty("median").GetDouble(), seconds.GetProperty("lowest").GetDouble(), seconds.GetProperty("highest").GetDouble());
            Assert.True(contestant.GetProperty("tokens_per_second").GetDouble() > 0);
            Assert.True(contestant.GetProperty("matmul_fraction").GetDouble() > 0);
            Assert.True(contestant.GetProperty("update_seconds").GetProperty("median").GetDouble() > 0);
            Assert.True(contestant.GetProperty("update_bound_seconds").GetDouble() > 0);
            var memory = contestant.GetProperty("memory");
            Assert.InRange(memory.GetProperty("peak_bytes").GetInt64(), memory.GetProperty("base_bytes").GetInt64(), long.MaxValue);
        }

        var phases = contestants[0].GetProperty("phase_shares");
        Assert.Equal(1, phases.EnumerateObject().Sum(phase => phase.Value.GetDouble()), 1e-9);
        Assert.True(phases.GetProperty("data").GetDouble() > 0);
        Assert.Equal(JsonValueKind.Null, contestants[1].GetProperty("phase_shares").ValueKind);
        Assert.Equal(
            ["gpt+-eager / gpt+", "angpt-eager / angpt", "angpt / gpt+", "angpt-eager / gpt+-eager"],
            result.GetProperty("step_time_ratios").EnumerateObject().Select(ratio => ratio.Name));
    }

    [Fact]
    public void Without_arguments_for_it_three_architectures_are_timed_and_parts_can_be_left_out()
    {
        var result = Bench("--no-eager", "--no-memory", "--json").AssertSucceeded();
        var contestants = result.Json.GetProperty("contestants");
        Assert.Equal(["gpt+", "ngpt", "angpt"], Names(contestants, "name"));
        Assert.Equal(0, result.Json.GetProperty("equality").GetArrayLength());
        Assert.All(contestants.EnumerateArray(), contestant => Assert.Equal(JsonValueKind.Null, contestant.GetProperty("memory").ValueKind));
        Assert.DoesNotContain("warning", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_of_attention_are_timed_for_ours_and_eager_alike()
    {
        var result = Bench(
            "angpt", "--num-key-value-heads", "1", "--head-dim", "6", "--sliding-window", "3", "--tie-word-embeddings", "--json")
            .AssertSucceeded();
        var settings = result.Json.GetProperty("settings");
        Assert.Equal(
            (1, 6, 3, true),
            (settings.GetProperty("num_key_value_heads").GetInt32(), settings.GetProperty("head_dim").GetInt32(),
                settings.GetProperty("sliding_window").GetInt32(), settings.GetProperty("tie_word_embeddings").GetBoolean()));
        Assert.True(result.Json.GetProperty("equality")[0].GetProperty("passed").GetBoolean());
        Assert.Equal(["angpt", "angpt-eager"], Names(result.Json.GetProperty("contestants"), "name"));
        Assert.DoesNotContain("warning", result.Error, StringComparison.Ordinal);      // processes that measure memory take them, too
    }

    [Fact]
    public void Settings_after_a_name_make_another_contestant_and_medians_have_intervals()
    {
        const string plain = "angpt", unclipped = "angpt optimizer.spectral_clip=0";
        var result = Bench("gpt+", plain, unclipped, "--no-eager", "--no-memory", "--rounds", "6", "--json").AssertSucceeded().Json;
        Assert.Equal(["gpt+", plain, unclipped], Names(result.GetProperty("contestants"), "name"));
        var ratios = result.GetProperty("step_time_ratios");
        Assert.Equal(
            [$"{plain} / {unclipped}", "angpt / gpt+", $"{unclipped} / gpt+"], ratios.EnumerateObject().Select(ratio => ratio.Name));
        foreach (var ratio in ratios.EnumerateObject().Select(ratio => ratio.Value))
        {
            Assert.InRange(
                ratio.GetProperty("median").GetDouble(), ratio.GetProperty("median_from").GetDouble(), ratio.GetProperty("median_to").GetDouble());
        }

        Assert.Contains("95 % interval", Bench("gpt+", plain, "--no-eager", "--no-memory").AssertSucceeded().Output, StringComparison.Ordinal);
        Bench("angpt optimizer.spectral=0").AssertRejected("optimizer.spectral", "optimizer.spectral_clip");
        Bench("angpt spectral_clip").AssertRejected("'spectral_clip' after angpt is no setting");
        Bench("angpt model.hidden_size=8").AssertRejected("hidden_size is the same for all contestants");
        Bench("angpt training.compute_dtype=bf16").AssertRejected("training.compute_dtype=bf16", "would change nothing that is timed");
        // An eager twin has its own optimizer.
        Assert.Equal(
            [plain, plain + "-eager", unclipped, "angpt model.nu_o=false", "angpt model.nu_o=false-eager"],
            Names(Bench(plain, unclipped, "angpt model.nu_o=false", "--no-memory", "--json").AssertSucceeded().Json.GetProperty("contestants"), "name"));
        Bench(" ").AssertRejected("<architectures>");
    }

    [Fact]
    public void The_tables_are_plain_in_a_pipe()
    {
        var output = Bench("gpt", "--no-memory").AssertSucceeded().Output;
        Assert.Contains("| gpt-eager ", output, StringComparison.Ordinal);
        Assert.Contains("| gpt-eager / gpt ", output, StringComparison.Ordinal);
        Assert.Contains(" equal |", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
    }

    [Theory]
    [InlineData("angp", "'angp'", "'angpt'")]
    [InlineData("llama", "llama", "gpt, gpt+, ngpt, angpt, sandwich, dyt, derf")]
    [InlineData("--hidden-size 30 --heads 4", "hidden_size 30", "num_attention_heads 4")]
    [InlineData("--hidden-size 6 --heads 2", "hidden_size / num_attention_heads = 3", "odd")]
    [InlineData("--heads 4 --num-key-value-heads 3", "num_key_value_heads 3", "num_attention_heads 4")]
    [InlineData("--head-dim 7", "head_dim 7", "odd")]
    [InlineData("--hidden-size 0", "--hidden-size", "0")]
    [InlineData("--rounds 0", "--rounds", "0")]
    [InlineData("--rounds many", "--rounds", "many")]
    [InlineData("--batch-size 1000000 --context 1000000", "--batch-size", "--context")]
    [InlineData("--hidden-size 1000000 --layers 4000", "GB")]
    [InlineData("--device tpu", "tpu", "cuda")]
    [InlineData("--compute-dtype fp8", "fp8", "bf16")]
    [InlineData("--round 3", "--round", "--rounds")]
    public void Bad_input_is_refused(string arguments, params string[] fragments)
        => Bench(arguments.Split(' ')).AssertRejected(fragments);

    public void Dispose() => _angpt.Dispose();

    private static IEnumerable<string?> Names(JsonElement array, string property)
        => array.EnumerateArray().Select(element => element.GetProperty(property).GetString());

    /// <summary>Options given replace the tiny ones.</summary>
    private Angpt.Result Bench(params string[] arguments)
        => _angpt.Run(["bench", .. Tiny.Chunk(2).Where(pair => !arguments.Contains(pair[0])).SelectMany(pair => pair), .. arguments]);
}
