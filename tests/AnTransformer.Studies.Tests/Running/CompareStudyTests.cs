using AnTransformer.Studies.Comparison;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Tests.Running;

public sealed class CompareStudyTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void A_side_that_learns_twice_as_fast_at_its_own_best_rate_is_found_to()
    {
        // anGPT is best at 8e-3, which the grid must grow to; gpt+ at 2e-3. Both lose a quarter of a nat per octave of a wrong rate.
        var study = Study("sides: [gpt+, angpt]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]");
        var launcher = new FakeLauncher(Loss);
        var state = _bench.Run(study.Plan, launcher).State;
        Assert.True(state.IsComplete);

        var comparison = Assert.Single(study.Compare(state));
        var angpt = comparison.Largest("angpt")!;
        Assert.Equal(2, angpt.Tokens.Value, 1e-9);
        Assert.Equal(2, angpt.Tokens.Interval!.Low, 1e-9);
        Assert.Equal(2, angpt.Flops.Value, 1e-9);
        Assert.Equal(-1, angpt.Difference!.Value, 1e-9);
        Assert.Null(angpt.Frontier);
        Assert.Equal([0.002, 0.008], comparison.Sides.Select(side => side.Budgets[0].Search.BestRate!.Value));

        // The grids first, then what the search asks for, then further seeds.
        var order = launcher.Launched.Select(run => (run.Model.Architecture, run.Optimizer.LearningRate, run.Training.Seed)).ToList();
        Assert.Equal(6, order.Take(6).Count(run => run.LearningRate <= 4e-3 && run.Seed == 1));
        Assert.Equal([("angpt", 0.008, 1), ("angpt", 0.016, 1)], order.Where(run => run.LearningRate > 4e-3 && run.Seed == 1));
        Assert.Equal(10, order.Count);
    }

    [Fact]
    public void Intervals_are_student_s_over_the_seeds_own_speed_ups_and_costs_are_the_side_s_over_the_reference_s()
    {
        var study = Study("sides: [gpt+, \"wide: model.architecture=angpt f=8192\"]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]");
        // The second seed is worse: by half a nat for the reference, by a quarter for the side.
        var launcher = new FakeLauncher((run, tokens) => Loss(run, tokens) + (run.Training.Seed == 1 ? 0 : run.Model.Architecture == "angpt" ? 0.25 : 0.5))
        {
            SecondsPerStep = run => run.Model.Architecture == "angpt" ? 0.3 : 0.1,
        };
        var size = study.Compare(_bench.Run(study.Plan, launcher).State)[0];
        var wide = size.Largest("wide")!;

        // Twice as fast in tokens with seed 1; with seed 2 a quarter of an octave more, since the target is half a nat higher and the side a quarter.
        const double Half = 12.706205 * 0.125;      // t(0.975, 1) times the standard error of the two octaves 1 and 1.25
        Assert.Equal(Math.Pow(2, 1.125), wide.Tokens.Value, 1e-9);
        Assert.Equal(Math.Pow(2, 1.125 - Half), wide.Tokens.Interval!.Low, 1e-6);
        Assert.Equal(Math.Pow(2, 1.125 + Half), wide.Tokens.Interval!.High, 1e-6);
        Assert.Equal(2, wide.Tokens.Seeds);
        var (reference, side) = (PerToken(0), PerToken(1));
        Assert.True(side > 1.5 * reference);
        Assert.Equal(wide.Tokens.Value * reference / side, wide.Flops.Value, 1e-9);
        Assert.Equal(wide.Tokens.Interval.Low * reference / side, wide.Flops.Interval!.Low, 1e-9);
        Assert.Equal(wide.Tokens.Value / 3, wide.Time.Value, 1e-9);
        Assert.Equal(-1.125, wide.Difference!.Value, 1e-9);
        Assert.Equal(-1.125 - Half, wide.Difference.Interval!.Low, 1e-6);
        Assert.Equal(-1.125 + Half, wide.Difference.Interval.High, 1e-6);
        Assert.Contains("(not distinguishable from 1)", study.Findings(_bench.Run(study.Plan, launcher).State).Lead, StringComparison.Ordinal);

        // 6 per matrix parameter, and 6 L T d for attention.
        double PerToken(int index) => (6 * size.Sides[index].Budgets[0].Completed[1].MatrixParams) + (6 * 1 * 16 * 32);
    }

    [Fact]
    public void The_lead_says_when_the_frontier_is_extended_and_falls_back_to_the_run_when_it_tells_but_a_bound()
    {
        const string Yaml = "sides: [gpt+, ngpt]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]\nmax_tokens: [2560, 10240]";
        Assert.Contains(
            "0.50× [0.50, 0.50] (extrapolated) as fast on the annealed frontier (95 % interval below 1)", Lead(Loss, out _), StringComparison.Ordinal);
        // More tokens make it worse: no budget would do.
        Assert.Contains(
            "≤ 0.25× as fast in a run (a bound: no interval)", Lead((run, tokens) => Loss(run, tokens) + (IsLong(run) ? 10 : 0), out _), StringComparison.Ordinal);
        // So they do with one of two seeds: what is known of the other alone is no estimate of both.
        Assert.Contains(
            "(a bound: no interval)",
            Lead((run, tokens) => Loss(run, tokens) + (IsLong(run) && run.Training.Seed == 2 ? 3 : 0), out var warnings),
            StringComparison.Ordinal);
        Assert.Contains(warnings, warning => warning.Contains("speed-ups on the annealed frontier are bounds", StringComparison.Ordinal));

        static bool IsLong(TrainingConfiguration run) => run is { Model.Architecture: "ngpt", Training.MaxTokens: > 5000 };

        static string Lead(Func<TrainingConfiguration, double, double> loss, out IReadOnlyList<string> warnings)
        {
            using var bench = new StudyBench();
            var study = Study(Yaml);
            var findings = study.Findings(bench.Run(study.Plan, new FakeLauncher(loss)).State);
            warnings = findings.Warnings;
            return findings.Lead;
        }
    }

    [Fact]
    public void A_side_that_never_reaches_the_loss_has_a_speed_up_below_1()
    {
        var study = Study("sides: [gpt+, ngpt]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1]");
        var comparison = study.Compare(_bench.Run(study.Plan, new FakeLauncher(Loss)).State)[0];
        Assert.Equal(0.5, comparison.Largest("ngpt")!.Tokens.Value, 1e-9);
        Assert.Null(comparison.Largest("ngpt")!.Tokens.Interval);
        Assert.Contains("no interval", study.Findings(_bench.Run(study.Plan, new FakeLauncher(Loss)).State).Lead, StringComparison.Ordinal);
    }

    [Fact]
    public void Budgets_give_a_speed_up_on_the_annealed_frontier()
    {
        var study = Study("sides: [gpt+, angpt]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1, 2]\nmax_tokens: [2560, 5120, 10240]");
        var comparison = study.Compare(_bench.Run(study.Plan, new FakeLauncher(Loss)).State)[0];
        Assert.Equal(3, comparison.Against.Count);
        Assert.All(comparison.Against, item => Assert.Equal(2, item.Frontier!.Value, 1e-9));
        Assert.Equal([true, false, false], comparison.Against.Select(item => item.Frontier!.IsExtrapolated));
        Assert.All(comparison.Against, item => Assert.Equal(2, item.Frontier!.Interval!.High, 1e-9));
    }

    [Fact]
    public void Diverged_rates_and_seeds_are_counted_and_reported()
    {
        var study = Study("sides: [gpt+, angpt]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nmax_extensions: 0\nseeds: [1, 2, 3]");
        var launcher = new FakeLauncher(Loss)
        {
            Ending = run => run.Model.Architecture == "angpt" && (run.Optimizer.LearningRate == 4e-3 || run.Training.Seed == 3) ? new RunExit(RunEnding.Diverged, "NaN") : null,
        };
        var state = _bench.Run(study.Plan, launcher).State;
        var angpt = study.Compare(state)[0].Sides[1].Budgets[0];
        Assert.Equal(0.002, angpt.Search.BestRate);
        Assert.Equal([3L], angpt.DivergedSeeds);
        Assert.Equal([0, 1, 1], angpt.DivergedByRate.Select(rate => rate.Diverged));
        Assert.Equal(2, angpt.Completed.Count);
        Assert.Contains(study.Findings(state).Warnings, warning => warning.Contains("1 of the runs at the best learning rate diverged", StringComparison.Ordinal));
        // The two that converged agree, but say nothing of the third.
        var against = study.Compare(state)[0].Largest("angpt")!;
        Assert.Equal((2, 1), (against.Tokens.Seeds, against.Tokens.Diverged));
        Assert.Null(against.Tokens.Interval);
        Assert.Null(against.Difference!.Interval);
        Assert.Contains("(seeds diverged: no interval)", study.Findings(state).Lead, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_are_tuned_separately_with_rates_of_their_own_and_the_report_is_written()
    {
        var study = Study("sides: [gpt+, \"fast: model.architecture=angpt model.alpha_init=0.2\"]\nsizes: [\"s: d=32 layers=1\", \"m: d=64 layers=2\"]\n"
            + "learning_rates: [1e-3, 2e-3, 4e-3]\nside_learning_rates: [\"m/fast: 8e-3, 16e-3\"]\nseeds: [1, 2]");
        var launcher = new FakeLauncher(Loss);
        var state = _bench.Run(study.Plan, launcher).State;
        Assert.DoesNotContain(launcher.Launched, run => run.Model is { HiddenSize: 64, Architecture: "angpt" } && run.Optimizer.LearningRate < 4e-3);
        Assert.All(launcher.Launched.Where(run => run.Model.Architecture == "angpt"), run => Assert.Equal(0.2, run.Model.AlphaInit));

        new StudyReport(study, StudyDirectory.Open(_bench.Folder), "angpt compare x.yaml").Write(state);
        string[] files = ["runs.csv", "results.json", "report.html", "plots/loss-s.png", "plots/loss-m.svg", "plots/learning-rate-m.png", "plots/speed-up.svg"];
        Assert.All(files, file => Assert.True(new FileInfo(Path.Combine(_bench.Folder, file)).Length > 500, file));
        var report = File.ReadAllText(Path.Combine(_bench.Folder, "report.html"));
        Assert.Contains("fast at m reaches gpt+", report, StringComparison.Ordinal);
        Assert.Contains("angpt compare x.yaml", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_seeds_may_tune_and_neighbours_of_the_best_rate_may_be_run_with_all_seeds()
    {
        // The first seed alone would choose 4e-3; the mean of both is lowest at 2e-3.
        var launcher = new FakeLauncher((run, tokens) => Loss(run, tokens) - (run is { Training.Seed: 1, Optimizer.LearningRate: 4e-3 } ? 0.3 : 0)
            + (run is { Training.Seed: 2, Optimizer.LearningRate: 4e-3 } ? 0.3 : 0));
        var study = Study("sides: [gpt+]\nlearning_rates: [1e-3, 2e-3, 4e-3, 8e-3]\nseeds: [1, 2, 3]\ntuning_seeds: 2\nneighbours: true");
        var state = _bench.Run(study.Plan, launcher).State;
        Assert.Equal(2e-3, study.Compare(state)[0].Sides[0].Budgets[0].Search.BestRate);
        Assert.Equal(8 + 3, launcher.Launched.Count);
        Assert.Equal([2e-3, 1e-3, 4e-3], launcher.Launched.Where(run => run.Training.Seed == 3).Select(run => run.Optimizer.LearningRate));
    }

    [Fact]
    public void Values_follow_the_rate_that_is_tuned()
    {
        var study = Study("sides: [gpt+, \"muon: model.architecture=gpt+ optimizer.kind=muon optimizer.muon_learning_rate=rate*5\"]\nlearning_rates: [1e-3, 2e-3, 4e-3]\nseeds: [1]");
        var launcher = new FakeLauncher(Loss);
        _bench.Run(study.Plan, launcher);
        Assert.All(launcher.Launched.Where(run => run.Optimizer.Kind == "muon"), run => Assert.Equal(5 * run.Optimizer.LearningRate, run.Optimizer.MuonLearningRate, 1e-12));
        Assert.Equal(6, launcher.Launched.Count);
    }

    [Theory]
    [InlineData("reference: ngpt\nsides: [gpt+, angpt]", "study.yaml:2:12: reference 'ngpt' is none of the sides gpt+, angpt.")]
    [InlineData("sides: [gpt+, gtp]", "study.yaml:2:8: 'gtp' is no architecture")]
    [InlineData("sides: [gpt+, gpt+]", "study.yaml:2:8: 'gpt+' is there twice")]
    [InlineData("sides: [gpt+, \"a: model.alpha_inti=0.1\"]", "study.yaml:2:8: 'a': unknown field 'model.alpha_inti'; did you mean 'model.alpha_init'?")]
    [InlineData("sides: [gpt+, \"a: model.alpha_init\"]", "'model.alpha_init' is not of the form key=value")]
    [InlineData("sides: [gpt+]\nsizes: [\"d=33 heads=2\"]", "study.yaml:3:8: 'd=33 heads=2': model.hidden_size 33 is not divisible")]
    [InlineData("side_learning_rates: [\"gtp+: 1e-3\"]", "study.yaml:2:22: 'gtp+' is none of gpt+, ngpt, angpt")]
    [InlineData("side_learning_rates: [\"gpt+: x\"]", "is not of the form \"side: rate, rate\"")]
    [InlineData("sides: [gpt+, \"a: model.architecture=gpt learning_rate=1e-3\"]", "study.yaml:2:8: 'a': the study itself sets optimizer.learning_rate; use --learning-rates or --side-learning-rates.")]
    [InlineData("sides: [gpt+, \"a: model.architecture=gpt training.seed=3\"]", "'a': the study itself sets training.seed; use --seeds.")]
    [InlineData("sides: [gpt+, \"a: model.architecture=gpt training.output=x\"]", "'a': the study itself sets training.output; use --output.")]
    [InlineData("sides: [gpt+, \"a: model.architecture=gpt training.device=cuda\"]", "'a': the study itself sets training.device; use --devices.")]
    [InlineData("sides: [gpt+]\nsizes: [\"s: d=32 training.steps=3\"]\nmax_tokens: [640]", "study.yaml:3:8: 's': the study itself sets training.steps; use --max-tokens.")]
    [InlineData("devices: [cpu, gpu]", "study.yaml:2:10: devices must be cpu, cuda or cuda:N, not 'gpu'.")]
    [InlineData("learning_rates: [2e-3, 1e-3]", "study.yaml:2:17: learning_rates must ascend.")]
    [InlineData("learning_rates: [1e-3, x]", "study.yaml:2:24: 'learning_rates' must be a number greater than 0 and at most 10 or a list of numbers, not 'x'.")]
    [InlineData("seeds: [1, 1]", "study.yaml:2:8: seeds has an entry twice")]
    [InlineData("seeds: []", "study.yaml:2:8: seeds must have at least one entry")]
    [InlineData("tuning_seeds: 9", "study.yaml:2:15: tuning_seeds 9 exceeds the number of seeds, 3")]
    public void What_cannot_be_compared_is_refused_with_its_place(string yaml, string message)
        => Assert.Contains(message, Assert.Throws<InvalidInputException>(() => Study(yaml)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("training.output", "x", "--set training.output: the study itself sets training.output; use --output.")]
    [InlineData("resume", "never", "--set resume: the study itself sets checkpoint.resume; leave it out")]
    public void What_every_study_sets_is_refused_on_the_command_line(string key, string value, string message)
        => Assert.Contains(message, Assert.Throws<InvalidInputException>(() => StudyBench.Load<CompareConfiguration>("", (key, value))).Message, StringComparison.Ordinal);

    [Fact]
    public void Runs_resume_whatever_the_base_says()
    {
        var path = Path.Combine(_bench.Folder, "base.yaml");
        File.WriteAllText(path, "checkpoint: {resume: never, interval: 7}\n");
        var run = Study($"sides: [gpt+]\nbase_config: {path}").Plan.Agenda(new Dictionary<string, RunResult>()).Runs[0].Configuration;
        Assert.Equal(("auto", 7), (run.Checkpoint.Resume, run.Checkpoint.Interval));
    }

    [Fact]
    public void The_grid_ends_where_a_rate_that_follows_it_would_leave_its_range()
    {
        var study = Study("sides: [gpt+, \"muon: model.architecture=gpt+ optimizer.kind=muon optimizer.muon_learning_rate=rate*5\"]\nlearning_rates: [0.5, 1]\nmax_extensions: 9\nseeds: [1]");
        var state = _bench.Run(study.Plan, new FakeLauncher((run, _) => 5 - Math.Log2(run.Optimizer.LearningRate) / 10)).State;
        Assert.True(state.IsComplete);
        Assert.Equal([8.0, 2.0], study.Compare(state)[0].Sides.Select(side => side.Budgets[0].Search.BestRate!.Value));
        Assert.All(study.Compare(state)[0].Sides, side => Assert.True(side.Budgets[0].Search.IsAtEdge));
    }

    public void Dispose() => _bench.Dispose();

    private static CompareStudy Study(string yaml)
    {
        var (settings, baseConfiguration) = StudyBench.Load<CompareConfiguration>(yaml);
        return new CompareStudy(settings, baseConfiguration, StudyBench.Data());
    }

    /// <summary>A nat less for every doubling of tokens; anGPT twice as fast, nGPT half as fast as GPT+.</summary>
    private static double Loss(TrainingConfiguration run, double tokens)
    {
        var (speed, best) = run.Model.Architecture switch { "angpt" => (2, 8e-3), "ngpt" => (0.5, 2e-3), _ => (1.0, 2e-3) };
        return 20 - Math.Log2(tokens * speed) + (0.25 * Math.Abs(Math.Log2(run.Optimizer.LearningRate / best)));
    }
}
