using AnTransformer.Studies.Ablation;
using AnTransformer.Studies.BatchSizes;
using AnTransformer.Studies.Comparison;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Ladders;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Tests.Running;

public sealed class StudyPlanningTests : IDisposable
{
    private readonly StudyBench _bench = new();

    /// <summary>Each has its fault last, behind sides and values that can be used and would have their data prepared.</summary>
    [Theory]
    [InlineData("compare", "reference: ngpt\nsides: [gpt+, angpt]", "reference 'ngpt' is none of the sides")]
    [InlineData("compare", "sides: [gpt+, \"wide: model.architecture=angpt d=33 heads=2\"]", "is not divisible")]
    [InlineData("compare", "sides: [gpt+]\nsizes: [\"d=32\", \"d=33 heads=2\"]", "is not divisible")]
    [InlineData("compare", "sides: [gpt+, \"fast: model.architecture=angpt optimizer.learning_rate=1\"]", "the study itself sets optimizer.learning_rate")]
    [InlineData("compare", "sides: [gpt+]\nside_learning_rates: [\"ngpt: 1e-3\"]", "'ngpt' is none of gpt+")]
    [InlineData("compare", "sides: [gpt+, \"own: model.architecture=gpt+ model.vocabulary=3\"]", "unknown field 'model.vocabulary'")]
    [InlineData("compare", "sides: [gpt+]\ndevices: [\"cuda:0\"]", "device 'cuda:0'")]
    [InlineData("sweep", "fields: [\"model.num_attention_heads=2,3\"]", "is not divisible")]
    [InlineData("batch-size", "sides: [gpt+, \"own: model.architecture=angpt batch=3\"]", "the study itself sets training.batch_size")]
    [InlineData("ablate", "variants: [\"a: model.nu_o=false\", \"b: heads=3\"]", "is not divisible")]
    [InlineData("scaling", "sides: [gpt+]\nsizes: [\"d=32\", \"d=33 heads=2\"]\nmax_tokens: [640]", "is not divisible")]
    public void What_cannot_be_used_is_refused_before_any_data_are_prepared(string kind, string yaml, string message)
    {
        var error = Assert.Throws<InvalidInputException>(() => StudyPlanning.Plan(data => Create(kind, yaml, data), new Silent(), CancellationToken.None));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_that_is_no_side_is_refused_before_data_are_touched_without_planning_too()
        => Assert.Contains(
            "is none of the sides",
            Assert.Throws<InvalidInputException>(() => Create("compare", "reference: ngpt\nsides: [gpt+]", new StudyData(new Silent(), CancellationToken.None))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Data_are_prepared_once_everything_else_can_be_used() => AssertPrepares("sides: [gpt+]");

    [Fact]
    public void A_finished_study_is_evaluated_anew_without_data_or_checkpoints()
    {
        const string Yaml = "sides: [gpt+, angpt]\nlearning_rates: [1e-3, 2e-3]\nmax_extensions: 0\nseeds: [1, 2]";
        var launcher = new FakeLauncher((run, tokens) => 20 - Math.Log2(tokens) - (run.Model.Architecture == "angpt" ? 1 : 0) + (0.1 * run.Training.Seed));
        var first = (CompareStudy)Create("compare", Yaml, StudyBench.Data());
        var state = _bench.Run(first.Plan, launcher).State;
        var launched = launcher.Launched.Count;
        Assert.Empty(Directory.GetDirectories(_bench.Folder, "checkpoints", SearchOption.AllDirectories));

        var again = (CompareStudy)StudyPlanning.Plan(data => Create("compare", Yaml, data), new Silent(), CancellationToken.None);
        var evaluated = _bench.Run(again.Plan, launcher).State;

        Assert.Equal(launched, launcher.Launched.Count);
        Assert.Equal(first.Findings(state).Lead, again.Findings(evaluated).Lead);
        Assert.Contains("2.00× [2.00, 2.00] as fast in a run", again.Findings(evaluated).Lead, StringComparison.Ordinal);

        // One result less, and data are needed.
        Directory.Delete(Directory.GetDirectories(Path.Combine(_bench.Folder, "runs"))[0], recursive: true);
        AssertPrepares(Yaml);
    }

    public void Dispose() => _bench.Dispose();

    private void AssertPrepares(string yaml)
        => Assert.Contains(
            "missing.txt",
            Assert.Throws<InvalidInputException>(() => StudyPlanning.Plan(data => Create("compare", yaml, data), new Silent(), CancellationToken.None)).Message,
            StringComparison.Ordinal);

    /// <summary>A study whose data cannot be prepared, since their text is missing.</summary>
    private IStudy Create(string kind, string yaml, StudyData data)
    {
        return kind switch
        {
            "compare" => Study<CompareConfiguration>((settings, ofRuns) => new CompareStudy(settings, ofRuns, data)),
            "sweep" => Study<SweepConfiguration>((settings, ofRuns) => new SweepStudy(settings, ofRuns, data)),
            "batch-size" => Study<BatchSizeConfiguration>((settings, ofRuns) => new BatchSizeStudy(settings, ofRuns, data)),
            "ablate" => Study<AblateConfiguration>((settings, ofRuns) => new AblateStudy(settings, ofRuns, data)),
            _ => Study<ScalingConfiguration>((settings, ofRuns) => new ScalingStudy(settings, ofRuns, data)),
        };

        IStudy Study<T>(Func<T, BaseConfiguration, IStudy> create)
            where T : StudyConfiguration, new()
        {
            var (settings, ofRuns) = StudyBench.Load<T>(
                $"output: {_bench.Folder}\n{yaml}",
                ("data.text", Path.Combine(_bench.Folder, "missing.txt")),
                ("data.path", Path.Combine(_bench.Folder, "data")),
                ("tokenizer.vocab_size", "300"));
            return create(settings, ofRuns);
        }
    }

    private sealed class Silent : ITrainingListener
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

        public void OnStep(StepReport report)
        {
        }

        public void OnEvaluation(long step, EvaluationResult result, bool isBest)
        {
        }
    }
}
