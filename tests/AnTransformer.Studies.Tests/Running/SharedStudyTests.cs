using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sharing;
using AnTransformer.Studies.Sweeps;

namespace AnTransformer.Studies.Tests.Running;

/// <summary>Several workers at one study.</summary>
public sealed class SharedStudyTests : IDisposable
{
    private const string Runs = "fields: [\"optimizer.learning_rate=1e-3,2e-3,3e-3\"]\nseeds: [1, 2]";
    private static readonly StudyOptions Impatient = new() { WorkerTimeout = TimeSpan.FromSeconds(1) };
    private readonly StudyBench _bench = new();

    [Fact]
    public void Workers_share_the_runs_and_know_all_results()
    {
        var launchers = Enumerable.Range(0, 3).Select(_ => Launcher(TimeSpan.FromMilliseconds(200))).ToList();
        var outcomes = new StudyOutcome[launchers.Count];
        Together(launchers.Count, worker => outcomes[worker] = _bench.Run(Plan(), launchers[worker]));
        var launched = launchers.SelectMany(launcher => launcher.Launched).Select(run => run.Training.Output).ToList();
        Assert.Equal(6, launched.Count);
        Assert.Equal(6, launched.Distinct().Count());
        Assert.All(launchers, launcher => Assert.NotEmpty(launcher.Launched));
        Assert.All(outcomes, outcome => Assert.Equal(6, outcome.State.Finished.Count()));
        Assert.Empty(_bench.Warnings);
    }

    [Fact]
    public void The_runs_of_a_dead_worker_are_taken_over()
    {
        var folder = DeadWorker("elsewhere-1-x", new ProcessIdentity("elsewhere", "its boot", 1, "1"));
        var launcher = Launcher();
        var outcome = _bench.Run(Plan(), launcher, Impatient);
        Assert.Equal(6, outcome.State.Finished.Count());
        Assert.True(File.Exists(Path.Combine(folder, "claim.000001")));
        Assert.True(RunClaim.Open(Path.Combine(folder, "claim.000000")).IsLost);
        Assert.False(RunClaim.Open(Path.Combine(folder, "claim.000001")).IsLost);
        // What others have is not waited for while there is something to do.
        Assert.Equal(folder, Path.GetFullPath(launcher.Launched[^1].Training.Output));
    }

    [Fact]
    public void A_worker_that_is_known_to_have_ended_is_not_waited_for()
    {
        var here = ProcessIdentity.Current;
        DeadWorker("here-1-x", here with { Start = here.Start + "0" });
        var outcome = _bench.Run(Plan(), Launcher(), new StudyOptions { WorkerTimeout = TimeSpan.FromDays(1) });
        Assert.Equal(6, outcome.State.Finished.Count());
    }

    [Fact]
    public void A_worker_that_lives_keeps_its_runs()
    {
        var folder = RunFolders()[0];
        using var worker = new StudyWorker(
            Directory.CreateDirectory(Path.Combine(_bench.Folder, "workers")).FullName, SharedStudy.Digest(Plan()),
            TimeSpan.FromMilliseconds(100));
        Assert.NotNull(RunClaim.TryTake(folder, worker.Id, _ => true));
        var launcher = Launcher();
        var stop = new Timer(_ => _bench.Stop.Cancel(), null, TimeSpan.FromSeconds(4), Timeout.InfiniteTimeSpan);
        var outcome = _bench.Run(Plan(), launcher, Impatient);
        stop.Dispose();
        Assert.True(outcome.Stopped);
        Assert.Equal(5, launcher.Launched.Count);
    }

    [Fact]
    public void A_run_that_another_has_taken_over_is_left_to_it()
    {
        var launcher = Launcher();
        launcher.AfterRun = run =>
        {
            // As if this process had been suspended for long.
            var claim = Path.Combine(run.Training.Output, "claim.000001");
            if (launcher.Launched.Count == 1)
            {
                File.WriteAllText(claim, "elsewhere-1-x");
                WriteWorker("elsewhere-1-x", new ProcessIdentity("elsewhere", "its boot", 1, "1"));
            }
        };
        var outcome = _bench.Run(Plan(), launcher, Impatient);
        Assert.Contains("was taken over by another worker", Assert.Single(_bench.Warnings), StringComparison.Ordinal);
        // The other one does not live either.
        Assert.Equal(7, launcher.Launched.Count);
        Assert.Equal(6, outcome.State.Finished.Count());
    }

    [Fact]
    public void A_run_that_was_stopped_or_failed_is_given_back()
    {
        var launcher = Launcher();
        launcher.Ending = _ => new RunExit(RunEnding.Failed, "no memory");
        Assert.Equal(3, _bench.Run(Plan(), launcher).State.Failures.Count);
        Assert.Empty(Directory.GetFiles(_bench.Folder, "claim.*", SearchOption.AllDirectories));
        Assert.Equal(6, _bench.Run(Plan(), Launcher()).State.Finished.Count());
        Assert.Empty(Directory.GetFiles(Path.Combine(_bench.Folder, "workers")));
    }

    [Fact]
    public void Only_one_of_many_gets_a_claim()
    {
        var folder = Path.Combine(_bench.Folder, "run");
        for (var round = 0; round < 20; round++)
        {
            var claims = new RunClaim?[4];
            Together(claims.Length, worker => claims[worker] = RunClaim.TryTake(folder, $"w{worker}", _ => false));
            Assert.Contains(claims, claim => claim is { IsLost: false });
            Assert.Single(claims, claim => claim is { IsLost: false });
        }
    }

    [Fact]
    public void Another_study_in_the_same_directory_is_kept_out()
    {
        using var worker = new StudyWorker(
            Directory.CreateDirectory(Path.Combine(_bench.Folder, "workers")).FullName, "another", TimeSpan.FromMilliseconds(100));
        var message = Assert.Throws<InvalidInputException>(() => _bench.Run(Plan(), Launcher(), Impatient)).Message;
        Assert.Contains("another study is using this directory", message, StringComparison.Ordinal);
    }

    /// <summary>Its host may be gone for good.</summary>
    [Fact]
    public void A_dead_worker_of_another_study_keeps_nobody_out_for_long()
    {
        WriteWorker("elsewhere-1-x", new ProcessIdentity("elsewhere", "its boot", 1, "1"), study: "another");
        Assert.Equal(6, _bench.Run(Plan(), Launcher(), Impatient).State.Finished.Count());
    }

    [Fact]
    public void A_directory_that_cannot_be_shared_says_so()
    {
        File.WriteAllText(Path.Combine(_bench.Folder, "workers"), "");
        var message = Assert.Throws<InvalidInputException>(() => _bench.Run(Plan(), Launcher())).Message;
        Assert.Contains("workers: cannot be made", message, StringComparison.Ordinal);
    }

    public void Dispose() => _bench.Dispose();

    private static void Together(int count, Action<int> work)
    {
        var failures = new List<Exception>();
        var threads = Enumerable.Range(0, count).Select(index => new Thread(() =>
        {
            try
            {
                work(index);
            }
            catch (Exception e)
            {
                lock (failures)
                    failures.Add(e);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
    }

    private static FakeLauncher Launcher(TimeSpan duration = default)
        => new((run, tokens) => 5 - (tokens * run.Optimizer.LearningRate / 1e3)) { Duration = duration };

    private static IStudyPlan Plan()
    {
        var (settings, baseConfiguration) = StudyBench.Load<SweepConfiguration>(Runs);
        return new SweepStudy(settings, baseConfiguration, StudyBench.Data()).Plan;
    }

    private List<string> RunFolders()
        => [.. Plan().Agenda(new Dictionary<string, RunResult>()).Runs
            .Select(run => StudyDirectory.Open(_bench.Folder).RunPath(run))];

    /// <summary>A worker that has claimed the first run and shows no life.</summary>
    private string DeadWorker(string id, ProcessIdentity process)
    {
        WriteWorker(id, process);
        var folder = RunFolders()[0];
        Assert.NotNull(RunClaim.TryTake(folder, id, _ => true));
        return folder;
    }

    private void WriteWorker(string id, ProcessIdentity process, string? study = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_bench.Folder, "workers")).FullName;
        File.WriteAllText(
            StudyWorker.PathOf(folder, id),
            System.Text.Json.JsonSerializer.Serialize(new WorkerFile(process, study ?? SharedStudy.Digest(Plan()), "000000000007")));
    }
}
