using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AnTransformer.Cli;

/// <summary>How results are printed for other programs: snake_case, one line.</summary>
internal static class JsonOutput
{
    public static JsonSerializerOptions Compact { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A diverged model's loss is a result, too.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Prints a result; figures that are infinite or not numbers become texts, enums their names.</summary>
    public static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result, Compact));
}
