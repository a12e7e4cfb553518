using System.Text.Json;
using AnTransformer.Optimization;

namespace AnTransformer.Training.Runs;

/// <summary>Where a run is: everything besides weights and moments that resuming needs.</summary>
public sealed record TrainerState
{
    // Beyond any training, and so far from the types' ends that sums of such numbers stay within them.
    private const long Largest = 1L << 60;
    private const double LongestSeconds = 1e10;

    /// <summary>Optimizer steps taken.</summary>
    public long Step { get; init; }

    /// <summary>Sequences consumed: the data position, an index into the sampler's order.</summary>
    public long Sequences { get; init; }

    /// <summary>Tokens trained on.</summary>
    public long Tokens { get; init; }

    /// <summary>Seconds spent training, over all sessions of the run.</summary>
    public double ElapsedSeconds { get; init; }

    /// <summary>Seed of initialization and data order.</summary>
    public long Seed { get; init; }

    /// <summary>Averages the divergence monitor works with.</summary>
    public DivergenceMonitor.Snapshot Divergence { get; init; } = DivergenceMonitor.Snapshot.Initial;

    /// <summary>
    /// What the run was computed with, oldest first: an entry for the beginning, and one for each change. Empty for a
    /// run of a version that did not record it.
    /// </summary>
    public IReadOnlyList<TrainingSession> Sessions { get; init; } = [];

    private static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    /// <summary>Writes the state as JSON.</summary>
    /// <param name="path">The file.</param>
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>The state for another process of the same version.</summary>
    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json);

    /// <summary>The state of <see cref="ToBytes"/>.</summary>
    /// <param name="bytes">Its bytes.</param>
    internal static TrainerState Parse(byte[] bytes) => JsonSerializer.Deserialize<TrainerState>(bytes, Json)!;

    /// <summary>Reads a state.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file is missing or malformed.</exception>
    public static TrainerState Load(string path)
        => StateFile.Read<TrainerState>(
            path, Json, state => state.Problem(), "a trainer's state", "resume from another checkpoint");

    private string? Problem()
    {
        if (!(Step is >= 0 and < Largest && Sequences is >= 0 and < Largest && Tokens is >= 0 and < Largest))
            return "step, sequences or tokens is out of range";
        if (!(ElapsedSeconds is >= 0 and < LongestSeconds))
            return "elapsed_seconds is out of range";
        if (Sessions is null || Sessions.Any(session => session?.Environment is null))
            return "a session says nothing of what computed it";
        return Divergence is { Steps: >= 0 } && double.IsFinite(Divergence.Smoothed)
            && double.IsFinite(Divergence.Lowest)
            ? null
            : "divergence is damaged";
    }
}
