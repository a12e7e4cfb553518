using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Kernels;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using TorchSharp;

namespace AnTransformer.Training.Tests;

public sealed class TrainerTests : IDisposable
{
    private const int GoldenSteps = 50;
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-trainer-").FullName;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    /// <summary>
    /// The first steps of the README's main job. Losses of another processor differ in rounding, which training amplifies: the first
    /// steps must agree closely, the later ones to what no change of the method would stay within.
    /// </summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Quickstart_follows_its_golden_loss_curve(string architecture)
    {
        var losses = Quickstart(architecture);
        var path = Path.Combine(AppContext.BaseDirectory, "golden", $"quickstart-{architecture.Replace('+', 'p')}.csv");
        // A new architecture's curve is written on request into a folder given, from where it is read, judged and added.
        if (Environment.GetEnvironmentVariable("ANTRANSFORMER_UPDATE_GOLDEN") is { Length: > 0 } folder)
        {
            path = Path.Combine(folder, Path.GetFileName(path));
            if (!File.Exists(path))
                File.WriteAllLines(path, losses.Select(loss => loss.ToString("g6", CultureInfo.InvariantCulture)));
        }

        var golden = File.ReadLines(path).Select(line => double.Parse(line, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(GoldenSteps, golden.Count);
        Assert.Equal(GoldenSteps, losses.Count);
        for (var step = 0; step < GoldenSteps; step++)
            Assert.True(Math.Abs(golden[step] - losses[step]) < (step < 5 ? 1e-3 : 0.03), $"step {step + 1}: {losses[step]} instead of {golden[step]}");
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_number_of_live_tensors_does_not_grow_over_steps(string architecture)
    {
        var counts = new List<long>();
        Train(
            Tiny(architecture),
            new Listener(report =>
            {
                var statistics = DisposeScopeManager.Statistics;
                counts.Add(statistics.ThreadTotalLiveCount);
            }));
        Assert.Equal(12, counts.Count);
        Assert.All(counts.Skip(3), count => Assert.Equal(counts[3], count));
    }

    /// <summary>All kernels give the same results as LibTorch's operators: only this tells that batches arrive in a form that they take.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Training_and_evaluation_run_on_fused_kernels_alone(string architecture)
    {
        var seen = new HashSet<(Operation Operation, DispatchPath Path)>();
        var configuration = Tiny(architecture);
        configuration.Evaluation.SamplePrompt = null;       // drawing single tokens is LibTorch's
        using (Dispatch.Listen((operation, path) => seen.Add((operation, path))))
            Train(configuration, new Listener(_ => { }));
        Operation[] expected =
        [
            Operation.Embedding, Operation.Linear, Operation.Attention, Operation.Loss, Operation.TokenLosses, Operation.Update, Operation.GradientNorm,
            .. architecture == "angpt" ? [Operation.SpectralClipping] : Array.Empty<Operation>(),
            .. architecture == "ngpt" ? [Operation.SphereUpdate] : Array.Empty<Operation>(),
        ];
        Assert.Equal(expected.Order(), seen.Where(item => item.Path == DispatchPath.Fused).Select(item => item.Operation).Order());
        Assert.DoesNotContain(seen, item => item.Path is DispatchPath.Eager or DispatchPath.Cuda);
    }

    [Fact]
    public void A_time_budget_ends_a_run_saved_and_evaluated()
    {
        var configuration = Tiny("angpt");
        configuration.Training.Steps = 1_000_000;
        configuration.Training.MaxMinutes = 0.005;
        var outcome = Train(configuration, new Listener(_ => { }));
        Assert.Equal(TrainingStatus.Completed, outcome.Status);
        Assert.InRange(outcome.State.Step, 1, 999_999);
        Assert.NotNull(outcome.Evaluation);
        Assert.NotNull(outcome.Checkpoint);
    }

    [Fact]
    public void A_token_budget_sets_the_number_of_steps()
    {
        var configuration = Tiny("angpt");
        configuration.Training.Steps = null;
        configuration.Training.MaxTokens = 5 * 4 * 32;
        Assert.Equal(5, Train(configuration, new Listener(_ => { })).State.Step);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TrainingOutcome Train(TrainingConfiguration configuration, ITrainingListener listener, CancellationToken? stop = null)
        => TrainingRun.Run(configuration, listener, stop ?? TestContext.Current.CancellationToken);

    private List<double> Quickstart(string architecture)
    {
        var configuration = ConfigurationBinder.Load<TrainingConfiguration>(
            Path.Combine(AppContext.BaseDirectory, "configs", "quickstart.yaml"),
            [
                ("model.architecture", architecture),
                ("training.output", Path.Combine(_folder, "run")),
                ("data.path", Path.Combine(_folder, "data")),
                ("evaluation.sample_prompt", "null"),
                ("logging.plot", "false"),
            ]);
        var losses = new List<double>();
        using var stop = new CancellationTokenSource();
        Train(
            configuration,
            new Listener(report =>
            {
                losses.Add(report.Loss);
                if (report.Step == GoldenSteps)
                    stop.Cancel();
            }),
            stop.Token);
        if (Environment.GetEnvironmentVariable("ANTRANSFORMER_WRITE_GOLDEN") is { Length: > 0 } folder)
            File.WriteAllLines(Path.Combine(folder, $"quickstart-{architecture.Replace('+', 'p')}.csv"), losses.Select(loss => loss.ToString("f5", CultureInfo.InvariantCulture)));
        return losses;
    }

    private TrainingConfiguration Tiny(string architecture)
    {
        var text = Path.Combine(_folder, "text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i} says {i * 7 % 13}.\n")));
        var configuration = new TrainingConfiguration
        {
            Model = { Architecture = architecture, HiddenSize = 32, NumAttentionHeads = 2, NumHiddenLayers = 2, MaxPositionEmbeddings = 32 },
            Data = { Text = [text], Path = Path.Combine(_folder, "data"), SectionBytes = 1024, ValidationFraction = 0.1 },
            Tokenizer = { Kind = TokenizerKind.Bytes },
            Training = { Steps = 12, BatchSize = 4, Output = Path.Combine(_folder, "run") },
            Evaluation = { Interval = 4, Batches = 2 },
            Logging = { Interval = 1, Plot = false },
        };
        return configuration;
    }

    private sealed class Listener(Action<StepReport> onStep) : ITrainingListener
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
