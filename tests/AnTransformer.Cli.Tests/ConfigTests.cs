namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt config show</c> and <c>check</c> as they are typed.</summary>
public sealed class ConfigTests : IDisposable
{
    private const string Valid = "data: {path: data}\ntraining: {steps: 10, max_tokens: 1_000_000}\noptimizer: {learning_rate: 0.003, beta2: 0.9}\n";

    private readonly Angpt _angpt = new();

    public ConfigTests() => File.WriteAllText(_angpt.In("mine.yaml"), Valid);

    public void Dispose() => _angpt.Dispose();

    [Fact]
    public void Show_prints_what_differs_from_the_defaults_and_that_is_a_file()
    {
        var shown = Show("mine.yaml", "--model.hidden_size", "64", "--seed", "0");
        Assert.Equal(
            "# For `angpt train`: what differs from the defaults. --all shows every field.\n"
            + "model:\n  hidden_size: 64\ndata:\n  path: data\noptimizer:\n  beta2: 0.9\ntraining:\n  steps: 10\n  max_tokens: 1000000\n",
            shown);
        File.WriteAllText(_angpt.In("shown.yaml"), shown);
        Assert.Equal(shown, Show("shown.yaml"));
    }

    [Fact]
    public void Show_all_says_what_every_field_means_and_what_nulls_stand_for_in_this_model()
    {
        var everything = Show("mine.yaml", "--all", "--architecture", "ngpt");
        Assert.Contains("  # (one of none, bounded, exact or null; default null, which is exact here)\n  constraint: exact\n", everything, StringComparison.Ordinal);
        Assert.Contains("(number greater than 0 and at most 10; default 0.003)", everything, StringComparison.Ordinal);
        Assert.Contains("warmup_steps: 0\n", everything, StringComparison.Ordinal);
        File.WriteAllText(_angpt.In("everything.yaml"), everything);
        Assert.Equal(everything.Replace(", which is exact here", "", StringComparison.Ordinal).Split('\n').Where(line => !line.Contains('#', StringComparison.Ordinal)),
            Show("everything.yaml", "--all").Split('\n').Where(line => !line.Contains('#', StringComparison.Ordinal)));
    }

    [Fact]
    public void Without_a_file_the_defaults_are_shown()
    {
        Assert.EndsWith("\n{}\n", Show(), StringComparison.Ordinal);
        Assert.EndsWith("\nmodel:\n  architecture: gpt\n", Show("--architecture", "gpt"), StringComparison.Ordinal);
        var everything = Show("--all");
        Assert.Contains("\n  constraint: bounded\n", everything, StringComparison.Ordinal);
        // It depends on the length of the run, which no default gives.
        Assert.Contains("\n  warmup_steps: null\n", everything, StringComparison.Ordinal);
        Assert.EndsWith("\nseeds: [4]\nsides: [gpt]\n", Show("--kind", "compare", "--seeds", "4", "--sides", "gpt"), StringComparison.Ordinal);
        Assert.Contains("\n# Runs at a time,", Show("--kind", "sweep", "--all"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_kind_of_a_file_is_known_by_its_keys()
    {
        Assert.Contains("`angpt scaling run`", Show("configs/studies/scaling.yaml"), StringComparison.Ordinal);
        Assert.Contains("`angpt compare`", Show("configs/studies/scaling.yaml", "--kind", "compare"), StringComparison.Ordinal);
        File.WriteAllText(_angpt.In("x.yaml"), "fields: [\"learning_rate=1e-3\"]\nbase: {data: {path: data}}\n");
        Assert.Contains("`angpt sweep`", Show("x.yaml"), StringComparison.Ordinal);
        _angpt.Run("config", "show", "x.yaml", "--kind", "train").AssertRejected("x.yaml:1:1", "unknown key 'fields'");
    }

    [Theory]
    [InlineData("unknown option '--lerning-rate'; did you mean '--learning-rate'?", "--lerning-rate", "1")]
    [InlineData("--learning-rate: 'optimizer.learning_rate' must be a number", "--learning-rate", "fast")]
    [InlineData("--sides: unknown field 'sides'", "--sides", "gpt")]
    [InlineData("--kind must be one of train, compare", "--kind", "sweeb")]
    [InlineData("missing.yaml: no such file", "missing.yaml")]
    public void Show_refuses_what_no_configuration_can_be(string message, params string[] arguments)
        => _angpt.Run(["config", "show", .. arguments]).AssertRejected(message);

    [Fact]
    public void Check_says_of_every_file_whether_it_can_be_run()
    {
        string[] shipped = [.. Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "configs"), "*.yaml", SearchOption.AllDirectories)];
        Assert.Equal(11, shipped.Length);
        var result = _angpt.Run(["config", "check", "mine.yaml", "configs/studies/scaling.yaml", .. shipped]).AssertSucceeded();
        var lines = result.Output.TrimEnd('\n').Split('\n');
        Assert.Equal("mine.yaml: valid for `angpt train`", lines[0]);
        Assert.Equal("configs/studies/scaling.yaml: valid for `angpt scaling run` and `angpt compare`", lines[1]);
        Assert.Equal(13, lines.Length);
        Assert.Empty(result.Error);
        Assert.Equal(["corpus.txt", "mine.yaml"], Directory.GetFileSystemEntries(_angpt.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("modl: {}", "bad.yaml:1:1: unknown key 'modl'; did you mean 'model'?")]
    [InlineData("model: {hidden_size: x}", "bad.yaml:1:22: 'model.hidden_size' must be a whole number")]
    [InlineData("data: {path: a}\ntraining: {steps: 3}\nschedule: {warmup_steps: 4}", "bad.yaml:3:26: schedule.warmup_steps 4 exceeds training.steps 3")]
    [InlineData("sides: [gtp]\nreference: gtp\nbase: {data: {path: a}, training: {steps: 3}}", "bad.yaml:1:8: 'gtp' is no architecture")]
    [InlineData("sides: [gpt]\nreference: gpt\nbase: {data: {pth: a}, training: {steps: 3}}", "bad.yaml:3:15: unknown key 'data.pth'")]
    [InlineData("fields: [\"model.alpha_init=7\"]\nbase: {data: {path: a}, training: {steps: 3}}", "bad.yaml:1:9: 'model.alpha_init' must be a number")]
    [InlineData("model: [", "bad.yaml:", "not valid YAML")]
    [InlineData("", "bad.yaml: data.path must name a directory")]
    public void Check_says_what_is_wrong_where_and_goes_on(string yaml, params string[] message)
    {
        File.WriteAllText(_angpt.In("bad.yaml"), yaml);
        var result = _angpt.Run("config", "check", "bad.yaml", "mine.yaml");
        result.AssertRejected(message);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal("mine.yaml: valid for `angpt train`\n", result.Output);
        Assert.Equal(3, Directory.GetFileSystemEntries(_angpt.Folder).Length);
    }

    [Fact]
    public void A_run_states_every_field_whatever_its_file_lists()
    {
        File.WriteAllText(_angpt.In("mine.yaml"), Valid);
        var run = _angpt.Train().AssertSucceeded();
        var stated = File.ReadAllText(_angpt.In("run", "config.yaml"));
        Assert.Contains("\n  constraint: bounded\n", stated, StringComparison.Ordinal);
        Assert.Contains("\n  beta1: 0.9\n", stated, StringComparison.Ordinal);
        _angpt.Run("config", "check", "run/config.yaml").AssertSucceeded();
    }

    private string Show(params string[] arguments) => _angpt.Run(["config", "show", .. arguments]).AssertSucceeded().Output;
}
