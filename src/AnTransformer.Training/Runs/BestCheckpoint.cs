using System.Text.Json;
using AnTransformer.Checkpoints;

namespace AnTransformer.Training.Runs;

/// <summary>
/// The checkpoint of a run with the lowest validation loss, as the marker file <c>checkpoints/best.json</c> names it.
/// </summary>
/// <param name="Path">The checkpoint's directory.</param>
/// <param name="Step">Its step.</param>
/// <param name="Loss">Its validation loss in nats per token.</param>
public sealed record BestCheckpoint(string Path, long Step, double Loss)
{
    /// <summary>
    /// Reads the marker; null when there is none, when it is damaged, or when its checkpoint is gone.
    /// </summary>
    /// <param name="runDirectory">The run's directory.</param>
    public static BestCheckpoint? Find(string runDirectory)
    {
        // A damaged marker costs a name, not a run: the next evaluation writes it anew.
        if (Read(MarkerPath(runDirectory)) is not var (step, loss))
            return null;
        var path = CheckpointPath(runDirectory, step);
        return Directory.Exists(path) ? new BestCheckpoint(path, step, loss) : null;
    }

    /// <summary>Writes the marker.</summary>
    /// <param name="runDirectory">The run's directory.</param>
    /// <param name="step">Step of the best checkpoint.</param>
    /// <param name="loss">Its validation loss.</param>
    public static void Mark(string runDirectory, long step, double loss)
    {
        var json = JsonSerializer.Serialize(
            new { checkpoint = CheckpointRetention.DirectoryName(step), step, val_loss = loss });
        AtomicFile.WriteAllText(MarkerPath(runDirectory), json + "\n");
    }

    /// <summary>Deletes the marker of a run whose checkpoints are deleted.</summary>
    internal static void Unmark(string runDirectory) => File.Delete(MarkerPath(runDirectory));

    private static (long Step, double Loss)? Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(StateFile.ReadAllBytes(path));
            var (root, loss) = (json.RootElement, double.NaN);
            return root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("step", out var stepValue) && stepValue.ValueKind == JsonValueKind.Number
                && stepValue.TryGetInt64(out var step) && step >= 0
                && root.TryGetProperty("val_loss", out var lossValue) && lossValue.ValueKind == JsonValueKind.Number
                && lossValue.TryGetDouble(out loss) && double.IsFinite(loss)
                    ? (step, loss)
                    : null;
        }
        catch (Exception e) when (
            e is InvalidInputException or IOException or UnauthorizedAccessException || StateFile.IsMalformed(e))
        {
            return null;
        }
    }

    private static string MarkerPath(string runDirectory)
        => System.IO.Path.Combine(runDirectory, "checkpoints", "best.json");

    private static string CheckpointPath(string runDirectory, long step)
        => System.IO.Path.Combine(runDirectory, "checkpoints", CheckpointRetention.DirectoryName(step));
}
