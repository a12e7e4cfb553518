using System.Text.Json;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>What a file or the user says the token between documents is.</summary>
/// <param name="Source">Who says it, for messages.</param>
/// <param name="Name">The token's text.</param>
internal sealed record EndOfTextName(string Source, string Name);

/// <summary>
/// Reads which token ends a text from the files that Hugging Face <c>transformers</c> keeps beside
/// <c>tokenizer.json</c>, and writes one of them.
/// </summary>
internal static class SpecialTokenFiles
{
    public const string ConfigurationFile = "tokenizer_config.json";

    private const string Remedy = "correct it, or name the token that ends a text yourself (--end-of-text, "
        + "tokenizer.end_of_text)";

    /// <summary>
    /// The <c>eos_token</c> of a directory, a string or an object with its <c>content</c>; null where no file has one.
    /// </summary>
    /// <exception cref="InvalidInputException">A file is malformed.</exception>
    public static EndOfTextName? FindName(string directory)
    {
        foreach (var file in (string[])[ConfigurationFile, "special_tokens_map.json"])
        {
            var path = Path.Combine(directory, file);
            if (!File.Exists(path))
                continue;
            using var document = JsonPlace.Parse(path, TokenizerFiles.ReadFile(path));
            var token = new JsonPlace(path, document.RootElement)["eos_token"];
            if (token.Kind == JsonValueKind.Object)
                token = token["content"];
            if (token.IsNull)
                continue;
            return token.Kind == JsonValueKind.String
                ? new EndOfTextName($"{path}: eos_token", token.Text())
                : throw token.Error("is neither a string nor an object with one", Remedy);
        }

        return null;
    }

    /// <summary>
    /// The <c>eos_token_id</c> of a directory's <c>generation_config.json</c>, of several the first; null where there
    /// is none.
    /// </summary>
    /// <exception cref="InvalidInputException">The file is malformed.</exception>
    public static long? FindId(string directory)
    {
        var path = Path.Combine(directory, "generation_config.json");
        if (!File.Exists(path))
            return null;
        using var document = JsonPlace.Parse(path, TokenizerFiles.ReadFile(path));
        var id = new JsonPlace(path, document.RootElement)["eos_token_id"];
        if (id.Kind == JsonValueKind.Array)
            return id.Items().Select(item => (long?)item.Integer()).FirstOrDefault();
        return id.IsNull ? null : id.Integer();
    }

    /// <summary>A <c>tokenizer_config.json</c> that names the token which ends a text.</summary>
    public static byte[] Write(string endOfText)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
            json.WriteString("eos_token", endOfText);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
