using AnTransformer.Checkpoints;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Runs;

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
    public void Failures_are_not_hopeless_when_the_study_has_results_of_earlier_sessions()
    {
        var first = Launcher();
        first.Ending = run => run.Training.Seed == 1 && run.Optimizer.LearningRate == 1e-3 ? null : new RunExit(RunEnding.Failed, "no space");
        _bench.Run(Plan(), first);
        var second = Launcher();
        second.Ending = _ => new RunExit(RunEnding.Failed, "no space");
        Assert.Equal(3, _bench.Run(Plan(), second).State.Failures.Count);

        var other = new StudyBench();
        other.Run(Plan(), first);
        var more = Launcher();
        more.Ending = run => run.Training.Seed <= 2 ? new RunExit(RunEnding.Failed, "no space") : null;
        Assert.Equal(3, other.Run(Plan(FourRuns.Replace("1, 2]", "1, 2, 3]", StringComparison.Ordinal)), more).State.Results.Count);
        other.Dispose();
    }

    [Fact]
    public void A_run_waits_for_one_of_a_killed_session_to_leave_its_directory()
    {
        var launcher = Launcher();
        var path = Path.Combine(_bench.Folder, "runs", Plan().Agenda(new Dictionary<string, RunResult>()).Runs[0].Name);
        var orphan = RunDirectory.Open(path);
        Assert.True(RunDirectory.IsInUse(path));
        var launchedBefore = -1;
        var leaving = new Thread(() =>
        {
            Thread.Sleep(500);
            launchedBefore = launcher.Launched.Count;
            orphan.Dispose();
        });
        leaving.Start();
        Assert.True(_bench.Run(Plan(), launcher).State.IsComplete);
        leaving.Join();
        Assert.Equal(0, launchedBefore);
        Assert.Equal(4, launcher.Launched.Count);
        Assert.False(RunDirectory.IsInUse(path));

        using var other = new StudyBench();
        using var stuck = RunDirectory.Open(Path.Combine(other.Folder, "runs", Path.GetFileName(path)));
        other.Stop.CancelAfter(300);
        Assert.True(other.Run(Plan(), Launcher()).Stopped);
        Assert.Equal(RunEnding.Stopped, Assert.Single(other.Ended).Ending);
    }

    [Fact]
    public void A_run_that_ends_badly_while_the_study_is_stopped_has_not_failed()
    {
        var launcher = Launcher();
        launcher.Ending = _ => new RunExit(RunEnding.Failed, "exit code 130");
        launcher.AfterRun = _ => _bench.Stop.Cancel();
        Assert.Empty(_bench.Run(Plan(), launcher).State.Failures);
        Assert.Equal(RunEnding.Stopped, Assert.Single(_bench.Ended).Ending);
    }

    [Fact]
    public void What_cannot_be_read_or_reported_costs_that_run_or_report_only()
    {
        var launcher = Launcher();
        launcher.AfterRun = run =>
        {
            if (run is { Training.Seed: 1, Optimizer.LearningRate: 1e-3 })
                File.WriteAllText(Path.Combine(run.Training.Output, "metrics.jsonl"), "{]\n{]\n");
        };
        var outcome = _bench.Run(Plan(), launcher, onResult: _ => throw new InvalidOperationException("no font"));
        Assert.Equal(3, outcome.State.Results.Count);
        Assert.Contains("metrics.jsonl", Assert.Single(outcome.State.Failures).Value, StringComparison.Ordinal);
        Assert.Contains(_bench.Warnings, warning => warning.Contains("no font", StringComparison.Ordinal));
    }

    [Fact]
    public void Checkpoints_that_a_killed_session_left_with_a_result_go_the_next_time()
    {
        _bench.Run(Plan(), Launcher(), new StudyOptions(KeepCheckpoints: true));
        _bench.Run(Plan(), Launcher(), new StudyOptions(KeepCheckpoints: true));
        Assert.NotEmpty(Directory.GetDirectories(_bench.Folder, "checkpoints", SearchOption.AllDirectories));
        new StudyRunner(StudyDirectory.Peek(_bench.Folder), Launcher(), new StudyOptions(), _bench).Look(Plan());
        Assert.NotEmpty(Directory.GetDirectories(_bench.Folder, "checkpoints", SearchOption.AllDirectories));
        _bench.Run(Plan(), Launcher());
        Assert.Empty(Directory.GetDirectories(_bench.Folder, "checkpoints", SearchOption.AllDirectories));
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
    [InlineData("{", "", "cannot be read as a run's result")]
    [InlineData("\"status\": \"completed\"", "\"status\": \"stopped\"", "status")]
    [InlineData("\"status\": \"completed\"", "\"status\": null", "cannot be read as a run's result")]
    [InlineData("\"curve\": [", "\"curve\": [null, ", "curve")]
    [InlineData("\"curve\": [", "\"curve\": null, \"x\": [", "cannot be read as a run's result")]
    [InlineData("\"settings\": {", "\"settings\": null, \"x\": {", "cannot be read as a run's result")]
    [InlineData("\"settings\": {", "\"settings\": {\"a\": null, ", "null")]
    [InlineData("\"settings\": {", "\"settings\": {\"\\ud800\": \"\", ", "cannot be read as a run's result")]
    [InlineData("\"steps\": ", "\"steps\": -", "negative")]
    [InlineData("\"steps\": ", "\"steps\": 99999999999999999999", "cannot be read as a run's result")]
    public void A_result_that_is_not_the_run_s_is_refused_with_a_remedy(string before, string after, string fragment)
    {
        _bench.Run(Plan(), Launcher());
        var path = Directory.GetFiles(_bench.Folder, "result.json", SearchOption.AllDirectories)[0];
        File.WriteAllText(path, File.ReadAllText(path).Replace(before, after, StringComparison.Ordinal));
        var message = Assert.Throws<InvalidInputException>(() => _bench.Run(Plan(), Launcher())).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(fragment, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Leftovers_of_killed_sessions_are_cleared_in_finished_runs_too()
    {
        _bench.Run(Plan(), Launcher());
        string[] places = [_bench.Folder, Directory.GetDirectories(Path.Combine(_bench.Folder, "runs"))[0]];
        foreach (var place in places)
        {
            string[] names = [];
            AtomicFile.Write(Path.Combine(place, "some.json"), _ => names = Directory.GetFiles(place, ".some.json.*"));
            Array.ForEach(names, path => File.WriteAllText(path, "half"));
            File.WriteAllText(Path.Combine(place, ".some.json.lock-0123456789abcdef"), "mine");
        }

        _bench.Run(Plan(), Launcher());

        Assert.All(places, place => Assert.Equal(
            [Path.Combine(place, ".some.json.lock-0123456789abcdef")], Directory.GetFiles(place, ".*")));
    }

    [Fact]
    public void What_somebody_keeps_beside_a_finished_run_s_checkpoints_stays()
    {
        var launcher = Launcher();
        launcher.AfterRun = run => File.WriteAllText(Path.Combine(run.Training.Output, "checkpoints", "notes.txt"), "mine");
        _bench.Run(Plan(), launcher);
        Assert.Equal(4, Directory.GetFiles(_bench.Folder, "notes.txt", SearchOption.AllDirectories).Length);
        Assert.Empty(Directory.GetDirectories(_bench.Folder, "step-*", SearchOption.AllDirectories));
    }

    public void Dispose() => _bench.Dispose();

    private static FakeLauncher Launcher() => new((run, tokens) => 5 - (tokens * run.Optimizer.LearningRate / 1e3));

    private static IStudyPlan Plan(params (string Key, string Value)[] set) => Plan(FourRuns, set);

    private static IStudyPlan Plan(string yaml, params (string Key, string Value)[] set)
    {
        var (settings, baseConfiguration) = StudyBench.Load<SweepConfiguration>(yaml, set);
        return new SweepStudy(settings, baseConfiguration, StudyBench.Data()).Plan;
    }
}
