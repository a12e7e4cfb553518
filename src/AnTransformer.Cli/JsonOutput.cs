using System.Text.Encodings.Web;
using System.Text.Json;

namespace AnTransformer.Cli;

/// <summary>How results are printed for other programs: snake_case, one line.</summary>
internal static class JsonOutput
{
    public static JsonSerializerOptions Compact { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Print(object result) => Console.WriteLine(JsonSerializer.Serialize(result, Compact));
}
