using AnTransformer.Training.Tokenization;

namespace AnTransformer.Export.HuggingFace;

/// <summary>
/// The files that transformers reads beside a model: the tokenizer with its special tokens, and how to generate.
/// </summary>
public static class HuggingFaceTokenizer
{
    private static readonly string[] Roles = ["bos_token", "eos_token"];

    /// <summary>
    /// Writes <c>tokenizer.json</c>, <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and
    /// <c>generation_config.json</c>; of a model without a tokenizer the last one only.
    /// </summary>
    /// <param name="directory">The directory of the export.</param>
    /// <param name="tokenizer">The tokenizer, or null.</param>
    /// <param name="context">The model's longest context in tokens.</param>
    public static void Write(string directory, Tokenizer? tokenizer, int context)
    {
        JsonText.WriteObject(Path.Combine(directory, "generation_config.json"), json =>
        {
            // As GPT-2 has it: the token that ends a text begins one, too.
            json.WriteNumberOrNull("bos_token_id", tokenizer?.EndOfTextId);
            json.WriteNumberOrNull("eos_token_id", tokenizer?.EndOfTextId);
            json.WriteNumberOrNull("pad_token_id", tokenizer?.EndOfTextId);
            json.WriteBoolean("do_sample", value: true);
        });
        if (tokenizer is null)
            return;
        tokenizer.Save(directory);
        // Where that wrote a configuration of its own, it says no more than this one.
        File.Delete(Path.Combine(directory, "tokenizer_config.json"));
        JsonText.WriteObject(Path.Combine(directory, "tokenizer_config.json"), json =>
        {
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
            WriteRoles(json, tokenizer.EndOfText);
            json.WriteNumber("model_max_length", context);
            json.WriteBoolean("clean_up_tokenization_spaces", value: false);
        });
        JsonText.WriteObject(
            Path.Combine(directory, "special_tokens_map.json"), json => WriteRoles(json, tokenizer.EndOfText));
    }

    private static void WriteRoles(System.Text.Json.Utf8JsonWriter json, string? endOfText)
    {
        if (endOfText is null)
            return;
        foreach (var role in Roles)
            json.WriteString(role, endOfText);
    }
}
