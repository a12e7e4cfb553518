using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sweeps;

namespace AnTransformer.Studies.Tests.Running;

public sealed class StudyRunnerTests : IDisposable
{
    private const string FourRuns = "fields: [\"optimizer.learning_rate=1e-3,2e-3\"]\nseeds: [1, 2]";
    private readonly StudyBench _bench = new();

    [Fact]
    public void Every_run_is_done_once_the_first_seed_first_and_a_second_session_trains_nothing()
    {
        var launcher = Launcher();
        Assert.True(_bench.Run(Plan(), launcher).State.IsComplete);
        Assert.Equal([(1, 1e-3), (1, 2e-3), (2, 1e-3), (2, 2e-3)], launcher.Launched.Select(run => ((int)run.Training.Seed, run.Optimizer.LearningRate)));
        var table = File.ReadAllText(Path.Combine(_bench.Folder, "runs.csv"));

        var again = Launcher();
        Assert.True(_bench.Run(Plan(), again).State.IsComplete);
        Assert.Empty(again.Launched);
        Assert.Equal(table, File.ReadAllText(Path.Combine(_bench.Folder, "runs.csv")));
    }

    [Fact]
    public void Checkpoints_of_finished_runs_go_unless_they_are_kept()
    {
        _bench.Run(Plan(), Launcher());
        Assert.Empty(Directory.GetDirectories(_bench.Folder, "checkpoints", SearchOption.AllDirectories));
        using var other = new StudyBench();
        other.Run(Plan(), Launcher(), new StudyOptions(KeepCheckpoints: true));
        Assert.Equal(4, Directory.GetDirectories(other.Folder, "checkpoints", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void A_stopped_study_goes_on_where_it_was()
    {
        var launcher = Launcher();
        var outcome = _bench.Run(Plan(), launcher, onResult: state =>
        {
            if (state.Results.Count == 2)
                _bench.Stop.Cancel();
        });
        Assert.True(outcome.Stopped);
        Assert.Equal(2, launcher.Launched.Count);

        _bench.Stop = new CancellationTokenSource();
        var next = Launcher();
        Assert.True(_bench.Run(Plan(), next).State.IsComplete);
        Assert.Equal(2, next.Launched.Count);
        Assert.All(next.Launched, run => Assert.Equal(2, run.Training.Seed));
    }

    [Fact]
    public void A_failed_run_does_not_stop_the_others_and_is_tried_again_the_next_time()
    {
        var launcher = Launcher();
        launcher.Ending = run => run.Training.Seed == 1 && run.Optimizer.LearningRate == 1e-3 ? new RunExit(RunEnding.Failed, "out of memory") : null;
        var outcome = _bench.Run(Plan(), launcher);
        Assert.Equal(4, launcher.Launched.Count);
        Assert.False(outcome.State.IsComplete);
        Assert.Equal("out of memory", Assert.Single(outcome.State.Failures).Value);

        var next = Launcher();
        Assert.True(_bench.Run(Plan(), next).State.IsComplete);
        Assert.Single(next.Launched);
    }

    [Fact]
    public void When_the_first_runs_all_fail_the_rest_is_not_tried()
    {
        var launcher = Launcher();
        launcher.Ending = _ => new RunExit(RunEnding.Failed, "no space");
        Assert.Equal(3, _bench.Run(Plan(), launcher).State.Failures.Count);
        Assert.Equal(3, launcher.Launched.Count);
    }

    [Fact]
    public void A_diverged_run_is_a_result()
    {
        var launcher = Launcher();
        launcher.Ending = run => run.Optimizer.LearningRate == 2e-3 ? new RunExit(RunEnding.Diverged, "the loss is NaN at step 9") : null;
        var outcome = _bench.Run(Plan(), launcher);
        Assert.True(outcome.State.IsComplete);
        var lost = outcome.State.Finished.First(item => item.Run.Configuration.Optimizer.LearningRate == 2e-3).Result;
        Assert.Equal(RunEnding.Diverged, lost.Status);
        Assert.Equal("the loss is NaN at step 9", lost.Reason);
        Assert.Null(lost.ValLoss);
        Assert.Equal(double.PositiveInfinity, lost.LossOrInfinity);
        Assert.Contains(",diverged,,,", File.ReadAllText(Path.Combine(_bench.Folder, "runs.csv")), StringComparison.Ordinal);
        var again = Launcher();
        _bench.Run(Plan(), again);
        Assert.Empty(again.Launched);
    }

    [Fact]
    public void A_run_without_its_last_evaluation_has_no_result()
    {
        var launcher = Launcher();
        launcher.Ending = _ => new RunExit(RunEnding.Completed);     // after half of its metrics
        Assert.Contains("last evaluation", _bench.Run(Plan(), launcher).State.Failures.Values.First(), StringComparison.Ordinal);
    }

    [Fact]
    public void Jobs_run_beside_each_other_share_the_cores_and_take_devices_in_turn()
    {
        var launcher = Launcher();
        launcher.Duration = TimeSpan.FromMilliseconds(200);
        _bench.Run(Plan(), launcher, new StudyOptions(Jobs: 2, Devices: ["cpu", "cuda:1"]));
        Assert.Equal(2, launcher.MostAtOnce);
        Assert.Equal(["cpu", "cuda:1"], launcher.Launched.Select(run => run.Training.Device).Distinct().Order());
        Assert.All(launcher.Launched, run => Assert.Equal(Math.Max(1, Environment.ProcessorCount / 2), run.Training.Threads));
        Assert.Equal(4, _bench.Progress[^1].Done);
        Assert.Equal(1, _bench.Progress[^1].Share, 1e-9);
    }

    [Fact]
    public void Changed_settings_make_new_runs_and_keep_the_old_ones()
    {
        _bench.Run(Plan(), Launcher());
        var launcher = Launcher();
        _bench.Run(Plan(("model.hidden_size", "64")), launcher);
        Assert.Equal(4, launcher.Launched.Count);
        Assert.Equal(8, Directory.GetDirectories(Path.Combine(_bench.Folder, "runs")).Length);
        var reporting = Launcher();
        _bench.Run(Plan(("logging.interval", "3")), reporting);
        Assert.Empty(reporting.Launched);
    }

    [Theory]
    [InlineData("\"fingerprint\": \"", "\"fingerprint\": \"0", "other settings")]
    [InlineData("\"model.alpha_init\": \"0.2\"", "\"model.alpha_init\": \"0.5\"", "other defaults (model.alpha_init: 0.5")]
    [InlineData("{", "", "is not a run's result")]
    public void A_result_that_is_not_the_run_s_is_refused_with_a_remedy(string before, string after, string fragment)
    {
        _bench.Run(Plan(), Launcher());
        var path = Directory.GetFiles(_bench.Folder, "result.json", SearchOption.AllDirectories)[0];
        File.WriteAllText(path, File.ReadAllText(path).Replace(before, after, StringComparison.Ordinal));
        var message = Assert.Throws<InvalidInputException>(() => _bench.Run(Plan(), Launcher())).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(fragment, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_session_in_the_same_directory_is_kept_out()
    {
        using var first = StudyDirectory.Open(_bench.Folder);
        Assert.Contains("another study", Assert.Throws<InvalidInputException>(() => StudyDirectory.Open(_bench.Folder)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _bench.Dispose();

    private static FakeLauncher Launcher() => new((run, tokens) => 5 - (tokens * run.Optimizer.LearningRate / 1e3));

    private static IStudyPlan Plan(params (string Key, string Value)[] set)
    {
        var (settings, baseConfiguration) = StudyBench.Load<SweepConfiguration>(FourRuns, set);
        return new SweepStudy(settings, baseConfiguration, StudyBench.Data()).Plan;
    }
}
