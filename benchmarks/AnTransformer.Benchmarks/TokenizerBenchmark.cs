using System.Globalization;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace AnTransformer.Benchmarks;

/// <summary>
/// Encodes the novels with a vocabulary of 4096, with the largest that can be learned from them, and with the file that the
/// environment variable ANTRANSFORMER_BENCHMARK_TOKENIZER names (GPT-2's, say). On one thread, so the rate is that of a core.
/// </summary>
[Config(typeof(Configuration))]
public class TokenizerBenchmark
{
    private const string FileVariable = "ANTRANSFORMER_BENCHMARK_TOKENIZER";

    private static readonly byte[] Text = File.ReadAllBytes(Path.Combine(RepositoryRoot(), "data", "austen.txt"));

    private readonly List<int> _tokens = new(Text.Length);
    private Tokenizer _tokenizer = new ByteTokenizer();

    public static IEnumerable<string> Vocabularies()
    {
        yield return "4096";
        yield return "50257";
        if (Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } path)
            yield return path;
    }

    [ParamsSource(nameof(Vocabularies))]
    public string Vocabulary { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _tokenizer = int.TryParse(Vocabulary, CultureInfo.InvariantCulture, out var size)
        ? BytePairTrainer.Train([Text], new BytePairTrainerOptions { VocabularySize = size, MinimumFrequency = 1 }).Tokenizer
        : TokenizerFiles.Load(Vocabulary);

    [Benchmark]
    public int Encode()
    {
        _tokens.Clear();
        _tokenizer.Encode(Text, _tokens);
        return _tokens.Count;
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "AnTransformer.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("run the benchmark from a clone of the repository");
    }

    private sealed class Configuration : ManualConfig
    {
        public Configuration()
        {
            AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
            AddColumn(new RateColumn());
        }
    }

    private sealed class RateColumn : IColumn
    {
        public string Id => nameof(RateColumn);

        public string ColumnName => "MB/s";

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => "Megabytes (10^6) of text per second and core";

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
            summary[benchmarkCase]?.ResultStatistics is { } statistics
                ? (Text.Length * 1e3 / statistics.Mean).ToString("F1", CultureInfo.InvariantCulture)
                : "?";

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
            GetValue(summary, benchmarkCase);

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    }
}
