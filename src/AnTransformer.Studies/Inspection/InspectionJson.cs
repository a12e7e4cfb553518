using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AnTransformer.Architectures;
using AnTransformer.Inspection;

namespace AnTransformer.Studies.Inspection;

/// <summary>
/// An inspection as one JSON object, snake_case; figures that are not numbers are strings such as <c>"NaN"</c>.
/// </summary>
public static class InspectionJson
{
    private static readonly JsonSerializerOptions Compact = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };

    /// <summary>Writes an inspection.</summary>
    /// <param name="source">Where the figures come from.</param>
    /// <param name="inspection">The figures.</param>
    /// <param name="indented">Whether for people to read, on many lines.</param>
    public static string Write(InspectionSource source, ModelInspection inspection, bool indented = false)
        => JsonSerializer.Serialize(
            new
            {
                source.Checkpoint,
                source.InitialSeed,
                source.Data,
                source.Sequences,
                source.ComputeDtype,
                source.Command,
                inspection.Tokens,
                inspection.Loss,
                Model = JsonSerializer.Deserialize<JsonElement>(ModelConfigJson.Write(inspection.Config)),
                Findings = InspectionText.Findings(inspection),
                inspection.Activations,
                inspection.Alignments,
                inspection.Updates,
                inspection.Matrices,
                inspection.Scales,
            },
            indented ? Indented : Compact);
}
