using System.Text.Json;
using AnTransformer.Studies.Ablation;
using AnTransformer.Studies.BatchSizes;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Ladders;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Scaling.Tables;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Tests.Running;

public sealed class OtherStudiesTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void A_sweep_ranks_settings_and_measures_the_sensitivity_to_the_learning_rate()
    {
        var study = Sweep("fields: [\"learning_rate=1e-3,2e-3,4e-3,8e-3\", \"model.alpha_init=0.1,0.2\"]\nseeds: [1, 2]");
        // A parabola in octaves: one per cent above its bottom of 4 is 0.04, that is, one octave away.
        var findings = Findings(study, new FakeLauncher((run, _) => 4 + (0.04 * Square(Math.Log2(run.Optimizer.LearningRate / 4e-3))) + run.Model.AlphaInit!.Value - 0.1), out var data);
        Assert.Contains("optimizer.learning_rate = 4e-3, model.alpha_init = 0.1", findings.Lead, StringComparison.Ordinal);
        Assert.Equal(8, data.GetProperty("settings").GetArrayLength());
        var range = data.GetProperty("learning_rate_sensitivity")[0].GetProperty("range");
        Assert.Equal(2, range.GetProperty("octaves").GetDouble(), 1e-6);
        Assert.Equal(2, data.GetProperty("learning_rate_sensitivity")[0].GetProperty("octaves").GetProperty("value").GetDouble(), 1e-6);
        // The next learning rate costs 0.04 with either seed.
        Assert.Contains(findings.Tables[0].Rows, row => row.Contains("+0.0400 [+0.0400, +0.0400]"));
        Assert.Contains(findings.Warnings, warning => warning.Contains("The best model.alpha_init, 0.1, is at the edge", StringComparison.Ordinal));
        Assert.Contains(findings.Figures, figure => figure.Name == "map");
    }

    [Fact]
    public void A_random_search_draws_the_same_values_again_and_more_trials_begin_with_the_same()
    {
        var few = Draw(5);
        Assert.Equal(few, Draw(5));
        Assert.Equal(few, Draw(9).Take(5));
        Assert.All(few, run => Assert.InRange(run.Rate, 1e-4, 1e-2));
        Assert.All(few, run => Assert.InRange(run.Batch, 2, 9));
        Assert.Equal(5, few.Select(run => run.Rate).Distinct().Count());

        List<(double Rate, int Batch)> Draw(int trials)
            => Sweep($"fields: [\"optimizer.learning_rate=log(1e-4,1e-2)\", \"training.batch_size=uniform(2,9)\", \"model.architecture=gpt+,angpt\"]\nseeds: [1]\ntrials: {trials}")
                .Plan.Agenda(new Dictionary<string, RunResult>()).Runs.Select(run => (run.Configuration.Optimizer.LearningRate, run.Configuration.Training.BatchSize)).ToList();
    }

    [Theory]
    [InlineData("fields: []", "study.yaml:2:9: fields must name at least one field")]
    [InlineData("fields: [\"optimizer.learning_rat=1\"]", "study.yaml:2:9: unknown field 'optimizer.learning_rat'; did you mean 'optimizer.learning_rate'?")]
    [InlineData("fields: [\"optimizer.learning_rate=log(1e-3,1e-2)\"]", "is a range to draw from; say how often with trials")]
    [InlineData("fields: [\"optimizer.learning_rate=log(0,1e-2)\"]\ntrials: 2", "must have a lower and a higher number above 0")]
    [InlineData("fields: [\"model.architecture=log(1,2)\"]\ntrials: 2", "'model.architecture' is not a number")]
    [InlineData("fields: [\"optimizer.learning_rate=1e-3,fast\"]", "study.yaml:2:9: 'optimizer.learning_rate' must be a number")]
    [InlineData("fields: [\"training.output=a,b\"]", "study.yaml:2:9: the study itself sets training.output; use --output.")]
    [InlineData("fields: [\"training.seed=1,2\"]", "seeds are given in the study's field seeds")]
    [InlineData("fields: [\"learning_rate=1e-3\", \"optimizer.learning_rate=1e-2\"]", "'optimizer.learning_rate' is there twice")]
    public void What_cannot_be_swept_is_refused_with_its_place(string yaml, string message)
        => Assert.Contains(message, Assert.Throws<InvalidInputException>(() => Sweep(yaml)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_largest_batch_within_a_per_cent_is_interpolated_and_rates_begin_with_the_root_of_the_batch()
    {
        var (settings, baseConfiguration) = StudyBench.Load<BatchSizeConfiguration>(
            "sides: [gpt+]\nbatch_sizes: [1, 4, 16]\nlargest_micro_batch: 8\nmax_tokens: 2560\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]");
        var study = new BatchSizeStudy(settings, baseConfiguration, StudyBench.Data());
        // Best rate 2e-3 · √batch; loss 4 up to batch 4, 4.08 at 16: one per cent, 0.04, is reached at batch 8.
        var launcher = new FakeLauncher((run, _) =>
        {
            var batch = run.Training.BatchSize * run.Training.GradientAccumulation;
            return (batch > 4 ? 4.08 : 4) + (0.1 * Math.Abs(Math.Log2(run.Optimizer.LearningRate / (2e-3 * Math.Sqrt(batch)))));
        });
        var findings = Findings(study, launcher, out var data);
        Assert.Contains("gpt+ loses less than", findings.Lead, StringComparison.Ordinal);
        Assert.Equal(8, data[0].GetProperty("largest_batch").GetProperty("value").GetDouble(), 1e-6);
        Assert.Equal("none", data[0].GetProperty("largest_batch").GetProperty("bounds").GetString());
        Assert.Equal(12, launcher.Launched.Count);      // three rates, one further seed, three batch sizes, no extension
        Assert.Equal([0.004, 0.008, 0.016], launcher.Launched.Where(run => run.Training.GradientAccumulation == 2).Select(run => run.Optimizer.LearningRate).Distinct().Order());
    }

    [Fact]
    public void A_batch_at_which_every_rate_diverges_is_not_read_across()
    {
        var (settings, baseConfiguration) = StudyBench.Load<BatchSizeConfiguration>(
            "sides: [gpt+]\nbatch_sizes: [1, 4, 16]\nmax_tokens: 2560\nlearning_rates: [1e-3]\nmax_extensions: 1\nscale_rates: false\nseeds: [1, 2]");
        var launcher = new FakeLauncher((_, _) => 4) { Ending = run => run.Training.BatchSize == 4 ? new RunExit(RunEnding.Diverged, "NaN") : null };
        Findings(new BatchSizeStudy(settings, baseConfiguration, StudyBench.Data()), launcher, out var data);
        var largest = data[0].GetProperty("largest_batch");
        Assert.Equal(1, largest.GetProperty("value").GetDouble());
        Assert.Equal("at_least", largest.GetProperty("bounds").GetString());
        Assert.Equal(JsonValueKind.Null, largest.GetProperty("interval").ValueKind);
    }

    [Fact]
    public void Scaled_rates_that_meet_at_the_highest_are_tried_once()
    {
        var (settings, baseConfiguration) = StudyBench.Load<BatchSizeConfiguration>("sides: [gpt+]\nbatch_sizes: [1, 16]\nlearning_rates: [4, 8]\nseeds: [1]");
        var runs = new BatchSizeStudy(settings, baseConfiguration, StudyBench.Data()).Plan.Agenda(new Dictionary<string, RunResult>()).Runs;
        Assert.Equal([4, 8, 10], runs.Select(run => run.Configuration.Optimizer.LearningRate).Order());
    }

    [Fact]
    public void A_side_of_a_batch_size_study_may_have_rates_of_its_own()
    {
        var (settings, baseConfiguration) = StudyBench.Load<BatchSizeConfiguration>(
            "sides: [gpt+, angpt]\nbatch_sizes: [1, 16]\nlearning_rates: [4e-3]\nside_learning_rates: [\"angpt: 1e-3, 2e-3\"]\nseeds: [1]");
        var runs = new BatchSizeStudy(settings, baseConfiguration, StudyBench.Data()).Plan.Agenda(new Dictionary<string, RunResult>()).Runs;
        Assert.Equal([0.004, 0.016], Rates("gpt+"));
        Assert.Equal([0.001, 0.002, 0.004, 0.008], Rates("angpt"));

        IEnumerable<double> Rates(string architecture)
            => runs.Where(run => run.Configuration.Model.Architecture == architecture).Select(run => run.Configuration.Optimizer.LearningRate).Order();
    }

    [Fact]
    public void A_side_of_a_batch_size_study_may_not_set_the_batch()
    {
        var (settings, baseConfiguration) = StudyBench.Load<BatchSizeConfiguration>("sides: [\"a: model.architecture=gpt batch=3\"]");
        Assert.Contains(
            "study.yaml:2:8: 'a': the study itself sets training.batch_size; use --batch-sizes.",
            Assert.Throws<InvalidInputException>(() => new BatchSizeStudy(settings, baseConfiguration, StudyBench.Data())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_ablation_compares_variants_with_the_base_at_their_own_rates_or_at_the_base_s()
    {
        double Loss(TrainingConfiguration run, double tokens)
            => 4 + (0.1 * Math.Abs(Math.Log2(run.Optimizer.LearningRate / (run.Model.NuO ? 2e-3 : 8e-3)))) + (run.Model.NuQkv ? 0 : 0.5) + (run.Training.Seed * 0.01);
        var findings = Findings(Ablate("tune_variants: true"), new FakeLauncher(Loss), out var data);
        Assert.Contains("The costliest change is no-qkv: +0.5000", findings.Lead, StringComparison.Ordinal);
        Assert.Equal([0.5, 0], data.GetProperty("variants").EnumerateArray().Select(variant => Math.Round(variant.GetProperty("difference").GetProperty("value").GetDouble(), 9)));

        using var other = new StudyBench();
        var launcher = new FakeLauncher(Loss);
        var study = Ablate("tune_variants: false");
        var state = other.Run(study.Plan, launcher).State;
        Assert.True(state.IsComplete);
        Assert.All(launcher.Launched.Where(run => !run.Model.NuO || !run.Model.NuQkv), run => Assert.Equal(2e-3, run.Optimizer.LearningRate));
        Assert.Contains(study.Findings(state).Warnings, warning => warning.Contains("the base's learning rate", StringComparison.Ordinal));

        static AblateStudy Ablate(string tune)
        {
            var (settings, baseConfiguration) = StudyBench.Load<AblateConfiguration>(
                $"variants: [\"no-qkv: model.nu_qkv=false\", \"no-o: model.nu_o=false\"]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]\n{tune}");
            return new AblateStudy(settings, baseConfiguration, StudyBench.Data());
        }
    }

    [Fact]
    public void The_default_ablations_can_all_be_built()
    {
        var (settings, baseConfiguration) = StudyBench.Load<AblateConfiguration>("seeds: [1]");
        var agenda = new AblateStudy(settings, baseConfiguration, StudyBench.Data()).Plan.Agenda(new Dictionary<string, RunResult>());
        Assert.Equal(3 * (1 + settings.Variants.Count), agenda.Runs.Count);
        Assert.Equal(agenda.Runs.Count, agenda.Runs.Select(run => run.Fingerprint).Distinct().Count());
    }

    [Theory]
    [InlineData(64)]
    [InlineData(100)]
    public void Every_default_ablation_changes_something(int width)
    {
        var (settings, baseConfiguration) = StudyBench.Load<AblateConfiguration>("seeds: [1]", ("model.hidden_size", $"{width}"));
        var study = new AblateStudy(settings, baseConfiguration, StudyBench.Data());
        Assert.Empty(study.PlanWarnings);
        var runs = study.Plan.Agenda(new Dictionary<string, RunResult>()).Runs;
        Assert.Equal(3 * (1 + settings.Variants.Count), runs.Select(run => string.Join('\n', ResolvedSettings.Of(run))).Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_variant_that_changes_nothing_is_named_and_not_run(bool isTuned)
    {
        // nGPT's own start of alpha, and its scale of 1/√d.
        var (settings, baseConfiguration) = StudyBench.Load<AblateConfiguration>(
            $"variants: [\"same: model.alpha_init=0.05 model.alpha_scale=0.1\", \"other: model.alpha_scale=0.2\"]\nlearning_rates: [1e-3]\nmax_extensions: 0\nseeds: [1]\ntune_variants: {(isTuned ? "true" : "false")}",
            ("model.architecture", "ngpt"),
            ("model.hidden_size", "100"));
        var study = new AblateStudy(settings, baseConfiguration, StudyBench.Data());
        var launcher = new FakeLauncher((_, _) => 4);
        var findings = Findings(study, launcher, out _);
        Assert.Equal(2, launcher.Launched.Count);
        Assert.Equal("Variant same changes nothing: all its settings are the base's, so it is not run.", Assert.Single(study.PlanWarnings));
        Assert.Contains(study.PlanWarnings[0], findings.Warnings);
    }

    [Fact]
    public void A_ladder_s_table_is_fitted_at_the_best_rates_without_what_diverged()
    {
        var (settings, baseConfiguration) = StudyBench.Load<ScalingConfiguration>(
            "sides: [gpt+, angpt]\nsizes: [\"s: d=32\", \"m: d=64\"]\nmax_tokens: [2560, 5120]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nmax_extensions: 0\nseeds: [1, 2]");
        var launcher = new FakeLauncher((run, tokens) => 9 - Math.Log10(tokens) + Math.Abs(Math.Log2(run.Optimizer.LearningRate / 2e-3)))
        {
            Ending = run => run.Optimizer.LearningRate == 4e-3 ? new RunExit(RunEnding.Diverged, "NaN") : null,
        };
        Findings(new ScalingStudy(settings, baseConfiguration, StudyBench.Data()), launcher, out _);
        var columns = new ScalingColumns { Group = "side", Flops = "flops", LearningRate = "learning_rate", BatchSize = "batch_size" };
        var table = ScalingTable.Load(Path.Combine(_bench.Folder, "runs.csv"), columns);
        Assert.Equal(2 * 2 * 2 * 2, table.Points.Count);
        Assert.All(table.Points, point => Assert.Equal(2e-3, point.LearningRate));
        Assert.Equal(
            ["8 of 32 rows did not complete and are left out", "8 of 24 rows are not at the best learning rate (is_best_rate) and are left out"], table.Notes);
    }

    [Fact]
    public void A_ladder_has_budgets_by_tokens_and_by_parameters_and_a_table_to_fit()
    {
        var (settings, baseConfiguration) = StudyBench.Load<ScalingConfiguration>(
            "sides: [gpt+, angpt]\nsizes: [\"s: d=32 layers=1\", \"m: d=64 layers=2\"]\nmax_tokens: [2560]\ntokens_per_parameter: [0.1]\nlearning_rates: [2e-3]\nmax_extensions: 0\nseeds: [1]");
        var findings = Findings(new ScalingStudy(settings, baseConfiguration, StudyBench.Data()), new FakeLauncher((_, tokens) => 9 - Math.Log10(tokens)), out var data);
        Assert.Equal(8, data.GetArrayLength());
        Assert.Contains("angpt scaling fit runs/study/runs.csv", findings.Lead, StringComparison.Ordinal);
        var header = File.ReadLines(Path.Combine(_bench.Folder, "runs.csv")).First().Split(',');
        string[] needed = ["side", "params", "tokens", "loss", "flops", "learning_rate", "batch_size", "size", "budget", "is_best_rate"];
        Assert.All(needed, column => Assert.Contains(column, header));
        Assert.Throws<InvalidInputException>(() => StudyBench.Load<ScalingConfiguration>("sizes: [\"d=32\"]"));
    }

    public void Dispose() => _bench.Dispose();

    private static double Square(double value) => value * value;

    private static SweepStudy Sweep(string yaml)
    {
        var (settings, baseConfiguration) = StudyBench.Load<SweepConfiguration>(yaml);
        return new SweepStudy(settings, baseConfiguration, StudyBench.Data());
    }

    /// <summary>Runs a study and writes its report, whose results are given back as JSON.</summary>
    private StudyFindings Findings(IStudy study, IRunLauncher launcher, out JsonElement data)
    {
        var state = _bench.Run(study.Plan, launcher).State;
        Assert.True(state.IsComplete);
        var directory = StudyDirectory.Open(_bench.Folder);
        var findings = new StudyReport(study, directory, "angpt").Write(state);
        data = JsonDocument.Parse(File.ReadAllText(directory.Results)).RootElement.GetProperty("findings");
        return findings;
    }
}
