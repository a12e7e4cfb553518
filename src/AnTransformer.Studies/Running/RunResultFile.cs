using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AnTransformer.Checkpoints;
using AnTransformer.Training.Runs;

namespace AnTransformer.Studies.Running;

/// <summary>
/// Reads and writes a run's <c>result.json</c>; what is there is whole, since it is written in one go at the end.
/// </summary>
internal static class RunResultFile
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        NewLine = "\n",
    };

    private static JsonSerializerOptions Reading { get; } = new(Json) { RespectNullableAnnotations = true };

    /// <summary>The result of a run, or null when it has none yet.</summary>
    /// <exception cref="InvalidInputException">The file is damaged, or of other settings.</exception>
    public static RunResult? Read(string path, PlannedRun run)
    {
        if (!File.Exists(path))
            return null;
        var result = StateFile.Read<RunResult>(
            path, Reading, Problem, "a run's result", "remove the run's directory to train it again");
        if (result.Fingerprint != run.Fingerprint)
        {
            throw new InvalidInputException(
                $"{path}: is the result of other settings than the study's; remove the run's directory to train it "
                    + "again, or choose another output.");
        }

        return ResolvedSettings.Difference(result.Settings, ResolvedSettings.Of(run)) is { } difference
            ? throw new InvalidInputException(
                $"{path}: was trained with other defaults ({difference}); choose another output, or give that field in "
                    + "the study's base.")
            : result;
    }

    /// <summary>Writes a result.</summary>
    public static void Write(string path, RunResult result)
        => AtomicFile.WriteAllText(path, JsonSerializer.Serialize(result, Json) + "\n");

    private static string? Problem(RunResult result)
    {
        if (result.Status is not (RunEnding.Completed or RunEnding.Diverged))
            return "its status is that of no finished run";
        if (result.Steps < 0 || result.Tokens < 0)
            return "its steps or tokens are negative";
        if (result.Settings.Values.Any(value => value is null))
            return "a setting is null";
        var before = 0L;
        foreach (var point in result.Curve)
        {
            if (point is null || point.Step < 0 || point.Tokens < before)
                return "its curve is not in the order of tokens";
            before = point.Tokens;
        }

        return null;
    }
}
