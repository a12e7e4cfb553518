using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AnTransformer.Checkpoints;

namespace AnTransformer.Studies.Running;

/// <summary>Reads and writes a run's <c>result.json</c>; what is there is whole, since it is written in one go at the end.</summary>
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

    /// <summary>The result of a run, or null when it has none yet.</summary>
    /// <exception cref="InvalidInputException">The file is damaged, or of other settings.</exception>
    public static RunResult? Read(string path, PlannedRun run)
    {
        if (!File.Exists(path))
            return null;
        RunResult? result;
        try
        {
            result = JsonSerializer.Deserialize<RunResult>(File.ReadAllText(path), Json);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{path}: is not a run's result ({Printable.Excerpt(e.Message.TrimEnd('.'), longest: 200)}); remove the run's directory to train it again.", e);
        }

        if (result?.Fingerprint != run.Fingerprint)
        {
            throw new InvalidInputException(
                $"{path}: is the result of other settings than the study's; remove the run's directory to train it again, or choose another output.");
        }

        return ResolvedSettings.Difference(result.Settings, ResolvedSettings.Of(run)) is { } difference
            ? throw new InvalidInputException(
                $"{path}: was trained with other defaults ({difference}); choose another output, or give that field in the study's base.")
            : result;
    }

    /// <summary>Writes a result.</summary>
    public static void Write(string path, RunResult result) => AtomicFile.WriteAllText(path, JsonSerializer.Serialize(result, Json) + "\n");
}
