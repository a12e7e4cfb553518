using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Files;

namespace AnTransformer.Training;

/// <summary>The checkpoint of a run with the lowest validation loss, as the marker file <c>checkpoints/best.json</c> names it.</summary>
/// <param name="Path">The checkpoint's directory.</param>
/// <param name="Step">Its step.</param>
/// <param name="Loss">Its validation loss in nats per token.</param>
public sealed record BestCheckpoint(string Path, long Step, double Loss)
{
    /// <summary>Reads the marker; null when there is none or its checkpoint is gone.</summary>
    /// <param name="runDirectory">The run's directory.</param>
    public static BestCheckpoint? Find(string runDirectory)
    {
        var marker = MarkerPath(runDirectory);
        if (!File.Exists(marker))
            return null;
        try
        {
            using var json = JsonDocument.Parse(RegularFile.ReadAllText(marker, RegularFile.SettingsLimit));
            var step = json.RootElement.GetProperty("step").GetInt64();
            var path = CheckpointPath(runDirectory, step);
            return Directory.Exists(path) ? new BestCheckpoint(path, step, json.RootElement.GetProperty("val_loss").GetDouble()) : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // A damaged marker costs a name, not a run: the next evaluation writes it anew.
            return null;
        }
    }

    /// <summary>Writes the marker.</summary>
    /// <param name="runDirectory">The run's directory.</param>
    /// <param name="step">Step of the best checkpoint.</param>
    /// <param name="loss">Its validation loss.</param>
    public static void Mark(string runDirectory, long step, double loss)
    {
        var json = JsonSerializer.Serialize(new { checkpoint = CheckpointRetention.DirectoryName(step), step, val_loss = loss });
        AtomicFile.WriteAllText(MarkerPath(runDirectory), json + "\n");
    }

    private static string MarkerPath(string runDirectory) => System.IO.Path.Combine(runDirectory, "checkpoints", "best.json");

    private static string CheckpointPath(string runDirectory, long step)
        => System.IO.Path.Combine(runDirectory, "checkpoints", CheckpointRetention.DirectoryName(step));
}
