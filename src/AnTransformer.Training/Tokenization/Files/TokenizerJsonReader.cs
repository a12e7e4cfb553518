using System.Text.Json;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>
/// Reads <c>tokenizer.json</c> of Hugging Face <c>tokenizers</c> where it describes a byte-level BPE, as those of
/// GPT-2, GPT-NeoX, Llama 3, Qwen and their kin do. What would change ids and is not supported, or not known, is
/// refused.
/// </summary>
/// <remarks>
/// Not of the ids of a text, and so not looked at: <c>truncation</c> and <c>padding</c>, the tokens that a
/// <c>post_processor</c> puts around a text, offsets, and <c>unk_token</c>, since every byte has a token.
/// </remarks>
internal static class TokenizerJsonReader
{
    internal const string UseByteLevel = "use a tokenizer with byte-level BPE, as GPT-2, GPT-NeoX or Llama 3 have";

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="json">Its content.</param>
    /// <param name="endOfText">The token between documents, where somebody says so.</param>
    /// <param name="endOfTextId">Its id where nothing else tells.</param>
    public static BytePairDefinition Read(string file, byte[] json, EndOfTextName? endOfText, long? endOfTextId)
    {
        using var document = JsonPlace.Parse(file, json);
        var root = new JsonPlace(file, document.RootElement);
        var model = root["model"];
        CheckModel(model);

        var vocabulary = new BytePairVocabulary(file);
        foreach (var (name, place) in model["vocab"].Members())
            vocabulary.Add(name, place.Integer());
        ReadMerges(file, model["merges"], vocabulary);
        ReadAddedTokens(root["added_tokens"], vocabulary);
        CheckDecoder(root["decoder"]);

        var ignoreMerges = model["ignore_merges"].Flag(false);
        var definition = vocabulary.ToDefinition(endOfText, endOfTextId) with
        {
            NormalizeNfc = ReadNormalizer(root["normalizer"]),
            IgnoreMerges = ignoreMerges,
            WholeWords = ignoreMerges ? vocabulary.ToWords() : null,
            SourceJson = json,
        };
        return PreTokenizerReader.Read(root["pre_tokenizer"], definition);
    }

    private static void CheckModel(JsonPlace model)
    {
        // Files of the first versions do not name the type.
        if (!model["type"].IsNull && model["type"].Text() is var type and not "BPE")
            throw model["type"].Error($"is {type}, which is not supported", UseByteLevel);
        model.RequireKnown(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
            "byte_fallback",
            "ignore_merges", "vocab", "merges", "cache_capacity");
        if (model["byte_fallback"].Flag(false))
        {
            throw model["byte_fallback"].Error(
                "is set (a vocabulary of SentencePiece, as Llama 2, Mistral and Gemma have), which is not supported",
                UseByteLevel);
        }

        if (!model["dropout"].IsNull && model["dropout"].Kind != JsonValueKind.Number)
            throw model["dropout"].Error("is not a number", "correct it");
        if (model["dropout"].Kind == JsonValueKind.Number && model["dropout"].Number() != 0)
            throw model["dropout"].Error("asks for random merges, which is not supported", "set it to null");
        foreach (var affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (!model[affix].IsNull && model[affix].Text().Length > 0)
                throw model[affix].Error("is set, which is not supported", UseByteLevel);
        }
    }

    private static void ReadMerges(string file, JsonPlace merges, BytePairVocabulary vocabulary)
    {
        var number = 0;
        foreach (var merge in merges.Items())
        {
            var parts = merge.Kind == JsonValueKind.Array
                ? merge.Items().Select(part => part.Text()).ToArray()
                : merge.Text().Split(' ');
            if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0)
                throw merge.Error("is not a pair of tokens, \"a b\" or [\"a\", \"b\"]", "the file is damaged");
            vocabulary.AddMerge(parts[0], parts[1], file, $"$.model.merges[{number++}]");
        }
    }

    private static void ReadAddedTokens(JsonPlace addedTokens, BytePairVocabulary vocabulary)
    {
        if (addedTokens.IsNull)
            return;
        foreach (var token in addedTokens.Items())
        {
            token.RequireKnown("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            var content = token["content"].Text();
            if (content.Length == 0)
                throw token["content"].Error("is empty", "remove that token");
            var special = token["special"].Flag(false);
            var id = token["id"].Integer();
            vocabulary.CheckId(content, id);
            vocabulary.AddAdded(new AddedToken
            {
                Id = (int)id,
                Content = content,
                Special = special,
                Normalized = token["normalized"].Flag(!special),
                SingleWord = token["single_word"].Flag(false),
                StripLeft = token["lstrip"].Flag(false),
                StripRight = token["rstrip"].Flag(false),
            });
        }
    }

    private static bool ReadNormalizer(JsonPlace normalizer)
    {
        if (normalizer.IsNull)
            return false;
        switch (normalizer["type"].Text())
        {
            case "NFC":
                normalizer.RequireKnown("type");
                return true;
            case "Sequence":
                normalizer.RequireKnown("type", "normalizers");
                return normalizer["normalizers"].Items().Aggregate(false, (nfc, step) => ReadNormalizer(step) || nfc);
            case var type:
                throw normalizer["type"].Error(
                    $"is {type}, which is not supported", "use a tokenizer with NFC or none");
        }
    }

    // Tokens become text by their bytes here; a file that says otherwise is not understood.
    private static void CheckDecoder(JsonPlace decoder)
    {
        if (decoder.IsNull)
            return;
        switch (decoder["type"].Text())
        {
            case "ByteLevel":
                return;
            case "Sequence":
                foreach (var step in decoder["decoders"].Items())
                    CheckDecoder(step);
                return;
            case var type:
                throw decoder["type"].Error($"is {type}, which is not supported", UseByteLevel);
        }
    }
}
