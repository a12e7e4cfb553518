using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;

namespace AnTransformer.Studies.Tests.Running;

/// <summary>A temporary study directory, a base configuration for it, and a listener that remembers.</summary>
internal sealed class StudyBench : IStudyListener, IDisposable
{
    private const string Base = """
        base: {model: {hidden_size: 32, num_attention_heads: 2, num_hidden_layers: 1, max_position_embeddings: 16}, data: {path: nowhere}, training: {steps: 40, batch_size: 4}}

        """;

    public string Folder { get; } = Directory.CreateTempSubdirectory("angpt-study-test-").FullName;

    /// <summary>Stops a session; replaced for the next.</summary>
    public CancellationTokenSource Stop { get; set; } = new();

    public List<string> Warnings { get; } = [];

    public List<(string Name, RunEnding Ending)> Ended { get; } = [];

    public List<StudyProgress> Progress { get; } = [];

    public ITrainingListener Preparation => throw new NotSupportedException();

    /// <summary>A study's configuration and the base of its runs.</summary>
    public static (T Settings, BaseConfiguration Base) Load<T>(string yaml, params (string Key, string Value)[] set)
        where T : StudyConfiguration, new()
    {
        var settings = ConfigurationBinder.Parse<T>(Base + yaml, "study.yaml", [], out var placeOf);
        return (settings, new BaseConfiguration(settings, placeOf, [.. set.Select(field => (field.Key, field.Value, "--set " + field.Key))]));
    }

    public static StudyData Data() => new(listener: null, CancellationToken.None);

    public StudyOutcome Run(IStudyPlan plan, IRunLauncher launcher, StudyOptions? options = null, Action<StudyState>? onResult = null)
    {
        var directory = StudyDirectory.Open(Folder);
        return new StudyRunner(directory, launcher, options ?? new StudyOptions(), this).Run(plan, state =>
        {
            RunsTable.Write(directory.RunsTable, state.Finished, state.Agenda.AtBestRate);
            onResult?.Invoke(state);
        }, Stop.Token);
    }

    public void OnMessage(string message)
    {
    }

    public void OnWarning(string message) => Warnings.Add(message);

    public void OnRunEnded(PlannedRun run, RunResult? result, RunExit exit) => Ended.Add((run.Name, exit.Ending));

    public void OnProgress(StudyProgress progress) => Progress.Add(progress);

    public void Dispose()
    {
        Stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
