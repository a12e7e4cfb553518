using System.Text.Json;
using System.Text.RegularExpressions;
using Json.Schema;

namespace AnTransformer.Cli.Tests;

/// <summary>What <c>angpt config schema</c> tells editors, held against an independent validator.</summary>
public sealed partial class ConfigSchemaTests : IClassFixture<ConfigSchemaTests.Schemas>
{
    private readonly Schemas _schemas;

    public ConfigSchemaTests(Schemas schemas) => _schemas = schemas;

    /// <summary>Every shipped file, those of the experiments, and the examples in the documentation, with their kind.</summary>
    public static TheoryData<string, string> Files
    {
        get
        {
            var files = new TheoryData<string, string>();
            foreach (var path in Directory.EnumerateFiles(In("configs"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                files.Add(path, path.Contains("studies", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(path) : "train");
            foreach (var path in Directory.EnumerateFiles(In("docs", "experiments"), "*.yaml").Order(StringComparer.Ordinal))
                files.Add(path, Path.GetFileName(path).Split('-')[0] switch { "ablate" => "ablate", "batch" => "batch-size", _ => "compare" });
            return files;
        }
    }

    private static string Root
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
                folder = Path.GetDirectoryName(folder)!;
            return folder;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Files_that_can_be_run_match_the_schema(string path, string kind)
        => Assert.True(_schemas.Accepts(kind, File.ReadAllText(path), out var problems), problems);

    [Fact]
    public void Examples_in_the_documentation_match_the_schema_of_a_kind()
    {
        var examples = Directory.EnumerateFiles(In("docs"), "*.md").Append(In("README.md"))
            .SelectMany(path => Example().Matches(File.ReadAllText(path)).Select(match => (Path: path, Yaml: match.Groups["yaml"].Value))).ToList();
        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.True(
            Schemas.Kinds.Any(kind => _schemas.Accepts(kind, example.Yaml, out _)), $"{example.Path}:\n{example.Yaml}"));
    }

    [Fact]
    public void All_fields_at_their_defaults_match_the_schema()
    {
        foreach (var kind in Schemas.Kinds)
        {
            var everything = _schemas.Angpt.Run("config", "show", "--all", "--kind", kind).AssertSucceeded().Output;
            Assert.True(_schemas.Accepts(kind, everything, out var problems), $"{kind}: {problems}");
        }
    }

    [Theory]
    [InlineData("train", "model: {hiden_size: 64}")]
    [InlineData("train", "modl: {hidden_size: 64}")]
    [InlineData("train", "model: {hidden_size: 1}")]
    [InlineData("train", "model: {hidden_size: 64.5}")]
    [InlineData("train", "model: {hidden_size: wide}")]
    [InlineData("train", "model: {architecture: gtp}")]
    [InlineData("train", "schedule: {kind: cosin}")]
    [InlineData("train", "optimizer: {learning_rate: 0}")]
    [InlineData("train", "optimizer: {beta1: 1}")]
    [InlineData("train", "logging: {plot: 1}")]
    [InlineData("train", "training: {output: null}")]
    [InlineData("compare", "base: {model: {hiden_size: 64}}")]
    [InlineData("compare", "seeds: [1, -1]")]
    [InlineData("compare", "fields: [a]")]
    [InlineData("sweep", "trials: 0")]
    public void What_the_command_would_refuse_does_not(string kind, string yaml) => Assert.False(_schemas.Accepts(kind, yaml, out _));

    [Theory]
    [InlineData("train", "model:\ntraining: {max_tokens: 1_000_000, max_minutes: null}")]
    [InlineData("train", "training: {max_tokens: 1e9}")]
    [InlineData("train", "data: {text: a.txt}\nmodel: {constraint: null, qk_norm: true}")]
    [InlineData("compare", "seeds: 4\nsides: gpt\nlearning_rates: 1e-3")]
    public void What_the_command_takes_does(string kind, string yaml)
        => Assert.True(_schemas.Accepts(kind, yaml, out var problems), problems);

    private static string In(params string[] parts) => Path.Combine([Root, .. parts]);

    [GeneratedRegex(@"```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Example();

    /// <summary>The schemas as the tool prints them.</summary>
    public sealed class Schemas : IDisposable
    {
        private readonly Dictionary<string, JsonSchema> _byKind;

        public Schemas() => _byKind = Kinds.ToDictionary(
            kind => kind,
            kind => JsonSchema.FromText(Angpt.Run("config", "schema", "--kind", kind).AssertSucceeded().Output));

        public static IReadOnlyList<string> Kinds { get; } = ["train", "compare", "sweep", "batch-size", "ablate", "scaling"];

        public Angpt Angpt { get; } = new();

        public bool Accepts(string kind, string yaml, out string problems)
        {
            using var document = JsonDocument.Parse(YamlAsJson.Parse(yaml)?.ToJsonString() ?? "null");
            var results = _byKind[kind].Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
            problems = string.Join('\n', (results.Details ?? []).Where(detail => detail.Errors is not null)
                .Select(detail => $"{detail.InstanceLocation}: {string.Join(", ", detail.Errors!.Values)}"));
            return results.IsValid;
        }

        public void Dispose() => Angpt.Dispose();
    }
}
