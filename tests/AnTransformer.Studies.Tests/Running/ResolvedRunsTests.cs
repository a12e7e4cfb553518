using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Studies.Sweeps;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Tests.Running;

/// <summary>Runs are named by what their study gives, and trained with every default resolved.</summary>
public sealed class ResolvedRunsTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void Runs_are_launched_with_every_default_resolved_and_keep_their_names()
    {
        var launcher = new FakeLauncher((_, _) => 3);
        var (settings, basis) = StudyBench.Load<SweepConfiguration>("fields: [\"optimizer.spectral_clip=1,null\"]\nseeds: [0]");
        var runs = _bench.Run(new SweepStudy(settings, basis, StudyBench.Data()).Plan, launcher).State.Agenda.Runs;
        Assert.Equal(2, launcher.Launched.Count);
        Assert.All(launcher.Launched, run => Assert.Empty(ResolvedConfiguration.Unresolved(run)));
        Assert.All(runs, run => Assert.NotEmpty(ResolvedConfiguration.Unresolved(run.Configuration)));
    }

    /// <summary>The digest of the fields that are given, a line each, as <c>sha256sum</c> computes it: results of earlier versions are found.</summary>
    [Fact]
    public void Fields_that_are_not_given_do_not_change_a_runs_name()
        => Assert.Equal(
            "e38dd153b58e70b48b9360cde2f2ff398799e98c39ca86a5736e1a06c241ea9d",
            RunFingerprint.Of(new TrainingConfiguration
            {
                Model = { HiddenSize = 32, NumAttentionHeads = 2, NumHiddenLayers = 1, MaxPositionEmbeddings = 16 },
                Data = { Path = "nowhere" },
                Optimizer = { SpectralClip = 1 },
                Training = { Steps = 40, BatchSize = 4 },
            }));

    /// <summary>Results of earlier versions wrote numbers as 1E-06.</summary>
    [Fact]
    public void Settings_are_compared_as_numbers()
    {
        var before = new Dictionary<string, string> { ["a"] = "1E-06", ["b"] = "adam", ["gone"] = "1" };
        Assert.Null(ResolvedSettings.Difference(before, new Dictionary<string, string> { ["a"] = "1.0e-06", ["b"] = "adam", ["new"] = "2" }));
        Assert.Equal("a: 1E-06 → 2.0e-06", ResolvedSettings.Difference(before, new Dictionary<string, string> { ["a"] = "2.0e-06", ["b"] = "adam" }));
        Assert.Equal("b: adam → muon", ResolvedSettings.Difference(before, new Dictionary<string, string> { ["a"] = "1E-06", ["b"] = "muon" }));
    }

    /// <summary>A result's settings come from a file: a value of 100 000 characters is not a message.</summary>
    [Fact]
    public void Differences_quote_no_more_than_an_excerpt()
    {
        var before = new Dictionary<string, string> { ["a"] = new string('x', 100_000) + "\n" };
        var difference = ResolvedSettings.Difference(before, new Dictionary<string, string> { ["a"] = "1" })!;
        Assert.InRange(difference.Length, 10, 200);
        Assert.StartsWith("a: xxx", difference, StringComparison.Ordinal);
        Assert.InRange(new ConfigurationDifference("a", before["a"], "1", MayChangeOnResume: false).ToString().Length, 10, 200);
    }

    public void Dispose() => _bench.Dispose();
}
