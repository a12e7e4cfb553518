using System.Text.Encodings.Web;
using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Training.Tokenization.BytePairs;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>
/// Writes <c>tokenizer.json</c> as Hugging Face <c>tokenizers</c> does, byte for byte (its pretty form, version "1.0").
/// Merges are written as "a b", which every version of that library reads.
/// </summary>
internal static class TokenizerJsonWriter
{
    public const string FileName = "tokenizer.json";

    /// <summary>The file of a tokenizer with GPT-2's pre-tokenization and no normalizer.</summary>
    public static byte[] ToJson(BytePairDefinition definition)
    {
        using var stream = new MemoryStream();
        var options = new JsonWriterOptions
        {
            Indented = true,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, definition);
            json.WriteNull("normalizer");
            WriteByteLevel(json, "pre_tokenizer", addPrefixSpace: false, trimOffsets: true);
            WriteByteLevel(json, "post_processor", addPrefixSpace: true, trimOffsets: false);
            WriteByteLevel(json, "decoder", addPrefixSpace: true, trimOffsets: true);
            WriteModel(json, definition);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>Writes the file in full or not at all.</summary>
    /// <exception cref="InvalidInputException">The directory does not exist or cannot be written to.</exception>
    public static void WriteFile(string directory, string name, byte[] json)
    {
        if (!Directory.Exists(directory))
            throw new InvalidInputException(
                $"Cannot write the tokenizer to {directory}: there is no such directory; choose an existing one.");
        AtomicFile.WriteAllBytes(Path.Combine(directory, name), json);
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, BytePairDefinition definition)
    {
        json.WriteStartArray("added_tokens");
        if (definition.EndOfTextId is { } id)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", definition.Names[id]);
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, string name, bool addPrefixSpace, bool trimOffsets)
    {
        json.WriteStartObject(name);
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", addPrefixSpace);
        json.WriteBoolean("trim_offsets", trimOffsets);
        json.WriteBoolean("use_regex", true);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, BytePairDefinition definition)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", false);
        json.WriteStartObject("vocab");
        for (var id = 0; id < definition.Names.Length; id++)
        {
            if (definition.Names[id] is { } name)
                json.WriteNumber(name, id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right, _) in definition.Merges)
            json.WriteStringValue($"{definition.Names[left]} {definition.Names[right]}");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
