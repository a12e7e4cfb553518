using AnTransformer.Architectures;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Inspection;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Metrics;
using AnTransformer.Training.Runs;
using TorchSharp;

namespace AnTransformer.Training.Tests.Inspection;

public sealed class RunInspectionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    private string Log => Path.Combine(_folder.File("run"), "inspection.jsonl");

    [Theory]
    [MemberData(nameof(Architectures))]
    public void An_inspected_run_trains_the_same_to_the_bit(string architecture)
    {
        var plain = Train(Tiny(architecture, "plain"));
        var inspected = Train(Tiny(architecture, "run", interval: 2));
        Assert.Equal(plain, inspected);
        Assert.False(File.Exists(Path.Combine(_folder.File("plain"), "inspection.jsonl")));

        var records = InspectionLog.Read(Log);
        Assert.Equal([0, 2, 4, 6], records.Select(record => record.Step).Distinct());
        Assert.Equal(4 * 3, records.Count);
        Assert.All(records, record => Assert.All(record.Norm.Values, norm => Assert.True(norm > 0)));
        var block = records.Single(record => record is { Step: 6, Layer: 1 });
        Assert.Equal(block.Norm.Keys, block.Predicted.Keys);
        Assert.Equal(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"], block.Vectors.Keys);
        Assert.Equal(["attention_input", "attention", "mlp_input", "gated"], block.MeanShare.Keys);
        Assert.InRange(block.MaxCosine["up_proj"], 0.01, 1);
        Assert.NotEmpty(block.Scales);
    }

    /// <summary>A norm may learn more than its gain, and each number has a name of its own.</summary>
    [Fact]
    public void Scales_of_a_norm_are_told_apart()
    {
        Train(Tiny("derf", "run", interval: 6));
        var block = InspectionLog.Read(Log).First(record => record is { Step: 0, Layer: 0 });
        Assert.Equal(1, block.Scales["input_layernorm"]);
        Assert.Equal(0, block.Scales["input_layernorm_bias"]);
        Assert.Equal(0.5, block.Scales["input_layernorm_alpha"]);
        Assert.Equal(0, block.Scales["input_layernorm_shift"]);
    }

    [Fact]
    public void A_resumed_run_has_the_inspections_of_an_uninterrupted_one()
    {
        Train(Tiny("angpt", "run", interval: 2));
        var whole = File.ReadAllText(Log);
        Directory.Delete(_folder.File("run"), recursive: true);

        Train(Tiny("angpt", "run", interval: 2), stopAfter: 4);
        File.AppendAllText(Log, File.ReadLines(Log).Last().Replace("\"step\":4", "\"step\":5", StringComparison.Ordinal) + "\n{\"step\":6,");
        Train(Tiny("angpt", "run", interval: 2));
        Assert.Equal(whole, File.ReadAllText(Log));
    }

    [Fact]
    public void A_run_that_is_given_up_is_inspected_once_more()
    {
        var configuration = Tiny("angpt", "run", interval: 1000);
        (configuration.Training.Steps, configuration.Training.DivergenceFactor, configuration.Optimizer.LearningRate) = (60, 1.0001, 1);
        configuration.Schedule.Kind = ScheduleKind.Constant;
        Train(configuration, expected: TrainingStatus.Diverged);
        Assert.Equal([0L, MetricsLog.Read(Path.Combine(_folder.File("run"), "metrics.jsonl"))[^1].Step], InspectionLog.Read(Log).Select(record => record.Step).Distinct());
    }

    [Fact]
    public void Inspections_leave_no_tensors_behind()
    {
        var counts = new List<long>();
        Train(Tiny("angpt", "run", interval: 1), onStep: _ => counts.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount));
        Assert.All(counts.Skip(3), count => Assert.Equal(counts[3], count));
    }

    public void Dispose() => _folder.Dispose();

    private static List<double> Train(
        TrainingConfiguration configuration, int stopAfter = 0, TrainingStatus? expected = null, Action<StepReport>? onStep = null)
    {
        using var stop = new CancellationTokenSource();
        var losses = new List<double>();
        var outcome = TrainingRun.Run(
            configuration,
            new StepListener(report =>
            {
                losses.Add(report.Loss);
                onStep?.Invoke(report);
                if (report.Step == stopAfter)
                    stop.Cancel();
            }),
            stop.Token);
        Assert.Equal(expected ?? (stopAfter > 0 ? TrainingStatus.Stopped : TrainingStatus.Completed), outcome.Status);
        return losses;
    }

    private TrainingConfiguration Tiny(string architecture, string output, long interval = 0)
    {
        var text = _folder.File("text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i} says {i * 7 % 13}.\n")));
        return new TrainingConfiguration
        {
            Model = { Architecture = architecture, HiddenSize = 32, NumAttentionHeads = 2, NumHiddenLayers = 2, MaxPositionEmbeddings = 32 },
            Data = { Text = [text], Path = _folder.File("data"), SectionBytes = 1024, ValidationFraction = 0.1 },
            Tokenizer = { Kind = TokenizerKind.Bytes },
            Training = { Steps = 6, BatchSize = 4, Output = _folder.File(output) },
            Evaluation = { Interval = 0, Batches = 2 },
            Logging = { Interval = 1, Plot = false },
            Inspection = { Interval = interval, Sequences = 6 },
        };
    }

    private sealed class StepListener(Action<StepReport> onStep) : ITrainingListener
    {
        public void OnMessage(string message)
        {
        }

        public void OnWarning(string message)
        {
        }

        public void OnProgress(string task, double share, string detail)
        {
        }

        public void OnStart(TrainingPlan plan, TrainerState state, double matmulRate)
        {
        }

        public void OnStep(StepReport report) => onStep(report);

        public void OnEvaluation(long step, EvaluationResult result, bool isBest)
        {
        }
    }
}
