namespace AnTransformer.Studies.Running;

/// <summary>How a study's runs are carried out; nothing here changes what they learn.</summary>
/// <param name="Jobs">Runs at a time.</param>
/// <param name="Devices">
/// Devices that the jobs take in turn; empty for the one that the base configuration names.
/// </param>
/// <param name="KeepCheckpoints">Whether the checkpoints of finished runs are kept.</param>
public sealed record StudyOptions(int Jobs = 1, IReadOnlyList<string>? Devices = null, bool KeepCheckpoints = false)
{
    /// <summary>How long another worker of the study may show no life before its runs are taken over.</summary>
    public TimeSpan WorkerTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The device of a job; null for the one that the configuration names.</summary>
    /// <param name="slot">Number of the job, from 0.</param>
    public string? DeviceOf(int slot) => Devices is { Count: > 0 } devices ? devices[slot % devices.Count] : null;

    /// <summary>CPU threads of a run whose configuration does not say.</summary>
    public int ThreadsPerJob => Math.Max(1, Environment.ProcessorCount / Jobs);
}
