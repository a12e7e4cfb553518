using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests.Configuration;

public sealed class TrainingConfigurationTests
{
    private const string Minimal = "data: {path: data}\ntraining: {steps: 10}\n";

    public static TheoryData<string> ShippedFiles
        => [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path))
            .Where(path => !path.StartsWith("studies", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    /// <summary>The repository's own folder, found from the build output: source paths are not kept in deterministic builds.</summary>
    private static string Folder
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
                folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "configs");
        }
    }

    [Fact]
    public void The_files_that_come_with_the_tool_are_all_there()
        => Assert.Equal(
            ["masked.yaml", "paper/angpt.yaml", "paper/gpt-plus.yaml", "paper/gpt.yaml", "paper/ngpt.yaml", "quickstart.yaml"],
            ShippedFiles.Select(file => file.Data.Replace('\\', '/')));

    /// <summary>
    /// A heading and what `angpt config show` prints: no value that is the default anyway, but the architecture, which a file is about.
    /// </summary>
    [Theory]
    [MemberData(nameof(ShippedFiles))]
    public void Shipped_files_list_what_differs_from_the_defaults(string name)
    {
        var path = Path.Combine(Folder, name);
        var lines = File.ReadAllLines(path);
        var head = lines.TakeWhile(line => line.StartsWith('#')).ToList();
        Assert.NotEmpty(head);
        Assert.Contains($"`angpt config show --all configs/{name.Replace('\\', '/')}`", head[^1], StringComparison.Ordinal);
        var differences = ConfigurationBinder.WriteDifferences(ConfigurationBinder.Load<TrainingConfiguration>(path, []));
        Assert.Equal(
            differences.TrimEnd('\n').Split('\n'),
            lines.Skip(head.Count).Where(line => line.Length > 0 && line != "  architecture: angpt"));
    }

    /// <summary>
    /// What the files mean, default by default: a default that changes for all must not change them unnoticed. Where it is to, run this test
    /// once with ANTRANSFORMER_UPDATE_CONFIGS=1.
    /// </summary>
    [Fact]
    public void What_shipped_files_resolve_to_is_held()
    {
        var names = ShippedFiles.Select(file => file.Data.Replace('\\', '/')).ToList();
        var resolved = names.ConvertAll(
            name => ResolvedConfiguration.Of(ConfigurationBinder.Load<TrainingConfiguration>(Path.Combine(Folder, name), [])));
        var table = ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Select(field => string.Join('\t', resolved.Select(file => ConfigurationBinder.Text(field.Get(file))).Prepend(field.Key)))
            .Prepend(string.Join('\t', names.Prepend("field"))).ToList();
        var path = Path.Combine(Folder, "..", "tests", "AnTransformer.Training.Tests", "Configuration", "shipped-values.tsv");
        if (Environment.GetEnvironmentVariable("ANTRANSFORMER_UPDATE_CONFIGS") == "1")
            File.WriteAllText(path, string.Join('\n', table) + "\n");
        Assert.Equal(File.ReadAllLines(path), table);
    }

    [Fact]
    public void The_paper_files_are_half_a_billion_parameters_and_differ_in_architecture_and_output_only_with_published_scales()
    {
        var files = Directory.GetFiles(Path.Combine(Folder, "paper")).Select(path => ConfigurationBinder.Load<TrainingConfiguration>(path, [])).ToList();
        Assert.All(files, file =>
        {
            var (d, vocabulary) = ((long)file.Model.HiddenSize, (long)file.Tokenizer.VocabSize);
            Assert.Null(file.Model.IntermediateSize);
            var parameters = (2 * vocabulary * d) + (file.Model.NumHiddenLayers * ((4 * d * d) + (3 * 4 * d * d)));
            Assert.InRange(parameters, 0.48e9, 0.52e9);
        });
        var angpt = files.Single(file => file.Model.Architecture == "angpt");
        Assert.All(files.Where(file => file != angpt), file => Assert.Equal(
            ["model.architecture", "training.output"],
            ConfigurationBinder.Differences(angpt, file, includeChangeable: true).Select(difference => difference.Key)
                .Except(["optimizer.learning_rate", "model.alpha_init", "model.alpha_scale", "model.logit_scale_init", "model.logit_scale_scale"])));
        var ngpt = TrainingPlan.CreateModelConfig(files.Single(file => file.Model.Architecture == "ngpt").Model, 1000);
        var scales = TrainingPlan.CreateModelConfig(angpt.Model, 1000);
        Assert.Equal((ngpt.Alpha, ngpt.LogitScale), (scales.Alpha, scales.LogitScale));
        Assert.All(files.Select(file => TrainingPlan.Create(file, 1000).Optimizer), adam => Assert.Equal(
            (0.0, 0.0, (double?)0.9, (double?)0.95), (adam.SpectralClip, adam.Factors.WidthExponent, adam.Rule.Settings.Beta1, adam.Rule.Settings.Beta2)));
    }

    [Theory]
    [InlineData("gpt", "adam", 0)]
    [InlineData("gpt+", "adam", 0)]
    [InlineData("ngpt", "adam", 0)]
    [InlineData("angpt", "adam", 1)]
    [InlineData("angpt", "lion", 1)]
    [InlineData("angpt", "muon", 0)]
    public void Clipping_and_width_exponent_are_on_for_anGPT_with_Adam_and_Lion_unless_they_are_given(string architecture, string kind, double expected)
    {
        Assert.Equal((expected, expected), Resolve(null));
        Assert.Equal((0.5, 0.5), Resolve(0.5));

        (double SpectralClip, double WidthExponent) Resolve(double? given)
        {
            var adam = TrainingPlan.Create(
                new TrainingConfiguration
                {
                    Model = { Architecture = architecture },
                    Optimizer = { Kind = kind, SpectralClip = given, WidthExponent = given },
                    Training = { Steps = 10 },
                },
                1000).Optimizer;
            return (adam.SpectralClip, adam.Factors.WidthExponent);
        }
    }

    [Fact]
    public void Every_field_has_a_description_and_every_number_a_range()
        => Assert.All(ConfigurationBinder.Fields(typeof(TrainingConfiguration)), field =>
        {
            Assert.EndsWith(".", field.Description, StringComparison.Ordinal);
            Assert.True(field.Type == typeof(bool) || field.Type == typeof(string) || field.Type == typeof(List<string>)
                || field.Type.IsEnum || field.Range is not null, field.Key);
        });

    [Fact]
    public void Every_default_is_in_its_range()
        => Load(Minimal, [.. ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => field.Default is not null and not (string or List<string>))
            .Select(field => (field.Key, ConfigurationBinder.Text(field.Default)))]);

    [Theory]
    [InlineData("model: {hidden_size: 130, num_attention_heads: 4}", "x.yaml:3:22: model.hidden_size 130 is not divisible by model.num_attention_heads 4; choose a multiple of the number of heads, or give model.head_dim.")]
    [InlineData("model: {num_key_value_heads: 3, num_attention_heads: 4}", "x.yaml:3:30: model.num_key_value_heads 3 does not divide model.num_attention_heads 4, and each is shared by equally many heads; choose a divisor.")]
    [InlineData("model: {head_dim: 7}", "x.yaml:3:19: model.head_dim 7 is odd, and rotary position embeddings turn pairs; choose an even number.")]
    [InlineData("model: {hidden_size: 12, num_attention_heads: 4}", "x.yaml:3:22: the head size model.hidden_size / model.num_attention_heads = 3 is odd, and rotary position embeddings turn pairs; choose sizes that make it even, or give model.head_dim.")]
    [InlineData("model: {architecture: gtp}", "x.yaml:3:23: 'model.architecture' must be one of gpt, gpt+, ngpt, angpt, sandwich, dyt, derf, not 'gtp'; did you mean 'gpt'?")]
    [InlineData("model: {constraint: hard}", "x.yaml:3:21: 'model.constraint' must be one of none, bounded, exact or null, not 'hard'.")]
    [InlineData("optimizer: {learning_rat: 1}", "x.yaml:3:13: unknown key 'optimizer.learning_rat'; did you mean 'learning_rate'?")]
    [InlineData("optimizer: {learning_rate: 0}", "x.yaml:3:28: 'optimizer.learning_rate' must be a number greater than 0 and at most 10, not '0'.")]
    [InlineData("tokenizer: {kind: file}", "x.yaml:3:19: tokenizer.path must be given when tokenizer.kind is file.")]
    [InlineData("schedule: {warmup_steps: 11}", "x.yaml:3:26: schedule.warmup_steps 11 exceeds training.steps 10; choose fewer.")]
    [InlineData("checkpoint: {resume: \"\"}", "x.yaml:3:22: checkpoint.resume must be auto, never or a checkpoint's path.")]
    public void What_cannot_be_trained_is_refused(string section, string message)
        => Assert.Equal(message, Assert.Throws<InvalidInputException>(() => Load(Minimal + section)).Message);

    [Theory]
    [InlineData("data.path", " ", "data.path must name a directory")]
    [InlineData("data.text", "['']", "data.text has an empty entry")]
    [InlineData("training.device", "cuda:", "must be cpu, cuda or cuda:N, not 'cuda:'")]
    [InlineData("training.device", "gpu", "must be cpu, cuda or cuda:N, not 'gpu'")]
    [InlineData("training.output", "", "training.output must name a directory")]
    [InlineData("training.steps", "null", "training.steps or training.max_tokens must be given")]
    [InlineData("hidden-size", "250", "model.hidden_size 250 is not divisible by model.num_attention_heads 4")]
    public void Options_that_cannot_be_trained_with_are_refused_by_name(string key, string value, string fragment)
    {
        var message = Assert.Throws<InvalidInputException>(() => Load(Minimal, (key, value))).Message;
        Assert.StartsWith($"--{key}: ", message, StringComparison.Ordinal);
        Assert.Contains(fragment, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_that_no_integer_holds_is_refused()
        => Assert.Contains(
            "sequences in a step",
            Assert.Throws<InvalidInputException>(() => Load(Minimal, ("batch_size", "65536"), ("gradient_accumulation", "32768"))).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    [InlineData("cuda:3")]
    public void Devices_are_recognized(string device) => Assert.Equal(device, Load(Minimal, ("device", device)).Training.Device);

    [Fact]
    public void A_token_budget_replaces_steps()
        => Assert.Equal(1_000_000_000, Load("data: {path: data}\ntraining: {max_tokens: 1e9}").Training.MaxTokens);

    [Fact]
    public void What_does_not_change_the_result_may_change_on_resuming()
    {
        var before = Load(Minimal);
        var moved = Load(Minimal, ("output", "elsewhere"), ("device", "cuda:1"), ("threads", "3"), ("logging.interval", "1"), ("keep_last", "9"), ("max_minutes", "1"));
        Assert.Empty(ConfigurationBinder.Differences(before, moved));
        var other = Load(Minimal, ("hidden_size", "64"), ("seed", "1"), ("steps", "11"));
        Assert.Equal(
            ["model.hidden_size: 256 → 64", "training.steps: 10 → 11", "training.seed: 0 → 1"],
            ConfigurationBinder.Differences(before, other).Select(difference => difference.ToString()));
    }

    private static TrainingConfiguration Load(string yaml, params (string Key, string Value)[] overrides)
        => ConfigurationBinder.Parse<TrainingConfiguration>(yaml, "x.yaml", overrides);
}
