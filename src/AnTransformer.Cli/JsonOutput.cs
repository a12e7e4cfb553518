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
    };

    private static JsonSerializerOptions WithNames { get; } = new(Compact)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Prints figures that may be infinite or not numbers, which then are texts, and enums by name.</summary>
    public static void PrintWithNames(object result) => Console.WriteLine(JsonSerializer.Serialize(result, WithNames));

    public static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result, Compact));
}
