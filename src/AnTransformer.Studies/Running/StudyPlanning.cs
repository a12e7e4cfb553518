using AnTransformer.Training.Devices;
using AnTransformer.Training.Loop;

namespace AnTransformer.Studies.Running;

/// <summary>Plans studies so that nothing is done for one that cannot be run, or that is done already.</summary>
public static class StudyPlanning
{
    /// <summary>
    /// Plans a study: first with vocabularies guessed, so that all of its settings and devices are checked before any
    /// work; then, if a run is still to be trained, with its data prepared. A study all of whose runs have results
    /// needs neither data nor checkpoints to be evaluated anew.
    /// </summary>
    /// <typeparam name="T">The kind of study.</typeparam>
    /// <param name="create">Makes the study.</param>
    /// <param name="listener">Hears of the preparation of data.</param>
    /// <param name="stop">Ends the preparation.</param>
    /// <exception cref="InvalidInputException">
    /// Settings, devices, data or a result of an earlier session cannot be used.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static T Plan<T>(Func<StudyData, T> create, ITrainingListener listener, CancellationToken stop)
        where T : IStudy
    {
        ArgumentNullException.ThrowIfNull(create);
        var study = create(new StudyData(listener: null, stop));
        var directory = StudyDirectory.Peek(study.Settings.Output);
        var results = new Dictionary<string, RunResult>(StringComparer.Ordinal);
        var agenda = KnownResults.Read(directory, study.Plan, results, _ => { });
        var state = new StudyState(agenda, results, new Dictionary<string, string>(StringComparer.Ordinal));
        if (state.IsComplete)
            return study;
        CheckDevices(study, agenda);
        return create(new StudyData(listener, stop));
    }

    /// <summary>Every run would fail on a device that is not there, one after the other. The CPU always is.</summary>
    private static void CheckDevices(IStudy study, StudyAgenda agenda)
    {
        var ofRuns = agenda.Runs.Select(run => run.Configuration.Training).ToList();
        IEnumerable<string> devices = study.Settings.Devices.Count > 0
            ? study.Settings.Devices
            : ofRuns.Select(training => training.Device);
        foreach (var device in devices.Distinct(StringComparer.Ordinal).Where(device => device != "cpu"))
            ComputeDevice.Context(device, ofRuns[0].ComputeDtype);
    }
}
