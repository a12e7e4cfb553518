using System.Text.Json;

namespace AnTransformer.Training;

/// <summary>Where a run is: everything besides weights and moments that resuming needs.</summary>
public sealed record TrainerState
{
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

    private static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    /// <summary>Writes the state as JSON.</summary>
    /// <param name="path">The file.</param>
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Reads a state.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file is missing or malformed.</exception>
    public static TrainerState Load(string path)
    {
        try
        {
            var state = JsonSerializer.Deserialize<TrainerState>(File.ReadAllText(path), Json);
            if (state is { Step: >= 0, Sequences: >= 0 })
                return state;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidInputException($"{path}: cannot be read as trainer state ({Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200)}); resume from another checkpoint.", e);
        }

        throw new InvalidInputException($"{path}: holds no valid trainer state; resume from another checkpoint.");
    }
}
