using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AnTransformer.Export.HuggingFace;

/// <summary>JSON as Hugging Face's libraries write and check it.</summary>
internal static class JsonText
{
    /// <summary>Writes a file of one object.</summary>
    /// <param name="path">The file.</param>
    /// <param name="members">Writes the members.</param>
    public static void WriteObject(string path, Action<Utf8JsonWriter> members)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        var options = new JsonWriterOptions
        {
            Indented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    /// <summary>A number that Python reads as a float: transformers 5 takes no integer where it expects one.</summary>
    public static void WriteFloat(this Utf8JsonWriter json, string name, double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        json.WritePropertyName(name);
        json.WriteRawValue(text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text);
    }

    /// <summary>A number, or null.</summary>
    public static void WriteNumberOrNull(this Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }
}
