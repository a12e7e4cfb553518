using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Training.Tests;

/// <summary>Who trains from code with the library's defaults trains as a configuration with the tool's defaults does.</summary>
public sealed class LibraryTrainingTests : IDisposable
{
    private const int Steps = 20;
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-library-").FullName;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_same_settings_give_the_same_losses(string name)
    {
        var configuration = Configuration(name);
        var expected = new List<double>();
        TrainingRun.Run(configuration, new StepListener(report => expected.Add(report.Loss)), TestContext.Current.CancellationToken);
        Assert.Equal(Steps, expected.Count);
        Assert.Equal(expected, TrainFromCode(configuration));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_librarys_defaults_are_the_configurations(string name)
    {
        var configuration = Configuration(name);
        configuration.Training.Steps = 5_000;
        var plan = TrainingPlan.Create(configuration, 300);
        Assert.Equal(plan.Optimizer, OptimizerSettings.For(plan.Model));
        Assert.Equal(plan.Schedule, LearningRateSchedule.For(plan.Model, configuration.Optimizer.LearningRate, 5_000));
    }

    [Theory]
    [InlineData("gpt", 0.1, 1, 0, 0, 500)]
    [InlineData("gpt+", 0.1, 1, 0, 0, 500)]
    [InlineData("ngpt", 0, 0, 0, 0, 0)]
    [InlineData("angpt", 0, 0, 1, 1, 0)]
    [InlineData("sandwich", 0.1, 1, 0, 0, 500)]
    [InlineData("dyt", 0.1, 1, 0, 0, 500)]
    [InlineData("derf", 0.1, 1, 0, 0, 500)]
    public void Defaults_are_those_of_the_papers(
        string name, double decay, double gradientClipping, double spectralClip, double widthExponent, long warmup)
    {
        var config = ArchitectureRegistry.CreateConfig(name, 257, 32, 2, 2, 32);
        var adam = OptimizerSettings.For(config);
        Assert.Equal(
            (decay, gradientClipping, spectralClip, widthExponent),
            (adam.WeightDecay, adam.GradientClipping, adam.SpectralClip, adam.Factors.WidthExponent));
        Assert.Equal(warmup, LearningRateSchedule.For(config, 1e-3, 5_000).WarmupSteps);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static List<double> TrainFromCode(TrainingConfiguration configuration)
    {
        var section = configuration.Model;
        using var data = TokenDataset.Open(configuration.Data.Path, DatasetSplit.Train, 257);
        var config = ArchitectureRegistry.CreateConfig(
            configuration.Model.Architecture, 257, section.HiddenSize, section.NumAttentionHeads, section.NumHiddenLayers, section.MaxPositionEmbeddings);
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(configuration.Training.Seed);
        using var optimizer = new Optimizer(model);
        var training = new TrainingStep(model, optimizer);
        var schedule = LearningRateSchedule.For(config, configuration.Optimizer.LearningRate, Steps);
        var sampler = WindowSampler.Shuffled(data, config.MaxPositionEmbeddings, configuration.Training.Seed);
        var (batch, length) = (configuration.Training.BatchSize, config.MaxPositionEmbeddings);
        var (inputs, targets) = (new long[batch * length], new long[batch * length]);
        var losses = new List<double>();
        for (var step = 0; step < Steps; step++)
        {
            using var scope = NewDisposeScope();
            sampler.GetBatch((long)step * batch, batch, inputs, targets);
            var result = training.Run(tensor(inputs).view(batch, length), tensor(targets).view(batch, length), schedule.At(step));
            losses.Add(result.Loss);
        }

        return losses;
    }

    private TrainingConfiguration Configuration(string architecture)
    {
        var text = Path.Combine(_folder, "text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i} says {i * 7 % 13}.\n")));
        return new TrainingConfiguration
        {
            Model = { Architecture = architecture, HiddenSize = 32, NumAttentionHeads = 2, NumHiddenLayers = 2, MaxPositionEmbeddings = 32 },
            Data = { Text = [text], Path = Path.Combine(_folder, "data"), SectionBytes = 1024, ValidationFraction = 0.1 },
            Tokenizer = { Kind = TokenizerKind.Bytes },
            Training = { Steps = Steps, BatchSize = 4, Output = Path.Combine(_folder, "run") },
            Evaluation = { Interval = 0, Batches = 2 },
            Logging = { Interval = 1, Plot = false, Tensorboard = false },
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
