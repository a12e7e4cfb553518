using System.Text.Json;
using System.Text.RegularExpressions;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Reads <c>tokenizer.json</c> of Hugging Face <c>tokenizers</c> where it describes a byte-level BPE, as those of GPT-2,
/// GPT-NeoX, Llama 3, Qwen and their kin do. What would change ids and is not supported is refused.
/// </summary>
internal static class TokenizerJsonReader
{
    private const string UseByteLevel = "use a tokenizer with byte-level BPE, as GPT-2, GPT-NeoX or Llama 3 have";

    public static BytePairDefinition Read(string file, byte[] json)
    {
        using var document = JsonPlace.Parse(file, json);
        var root = new JsonPlace(file, document.RootElement);
        var model = root["model"];
        CheckModel(model);

        var vocabulary = new BytePairVocabulary(file);
        foreach (var (name, place) in model["vocab"].Members())
            vocabulary.Add(name, place.Integer());
        ReadMerges(file, model["merges"], vocabulary);
        var matched = ReadAddedTokens(root["added_tokens"], vocabulary);

        var ignoreMerges = model["ignore_merges"].Flag(false);
        var definition = vocabulary.ToDefinition();
        definition = definition with
        {
            // End-of-text is special to us even where the file forgot to say so.
            MatchedTokens = matched.FindAll(token => token.Id != definition.EndOfTextId),
            NormalizeNfc = ReadNormalizer(root["normalizer"]),
            IgnoreMerges = ignoreMerges,
            WholeWords = ignoreMerges ? vocabulary.ToWords() : null,
            SourceJson = json,
        };
        return ReadPreTokenizer(root["pre_tokenizer"], definition);
    }

    private static void CheckModel(JsonPlace model)
    {
        // Files of the first versions do not name the type.
        if (!model["type"].IsNull && model["type"].Text() is var type and not "BPE")
            throw model["type"].Error($"is {type}, which is not supported", UseByteLevel);
        if (model["byte_fallback"].Flag(false))
            throw model["byte_fallback"].Error("is set (a SentencePiece vocabulary), which is not supported", UseByteLevel);
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

    private static List<MatchedToken> ReadAddedTokens(JsonPlace addedTokens, BytePairVocabulary vocabulary)
    {
        var matched = new List<MatchedToken>();
        if (addedTokens.IsNull)
            return matched;
        foreach (var token in addedTokens.Items())
        {
            var special = token["special"].Flag(false);
            var content = token["content"].Text();
            var id = token["id"].Integer();
            vocabulary.AddAdded(content, id, special);
            if (special || content.Length == 0)
                continue;
            foreach (var flag in (string[])["single_word", "lstrip", "rstrip"])
            {
                if (token[flag].Flag(false))
                    throw token[flag].Error("is set for a token that is not special, which is unsupported", "set it to false");
            }

            matched.Add(new MatchedToken((int)id, token["normalized"].Flag(true)));
        }

        return matched;
    }

    private static bool ReadNormalizer(JsonPlace normalizer)
    {
        if (normalizer.IsNull)
            return false;
        switch (normalizer["type"].Text())
        {
            case "NFC":
                return true;
            case "Sequence":
                return normalizer["normalizers"].Items().Aggregate(false, (nfc, step) => ReadNormalizer(step) || nfc);
            case var type:
                throw normalizer["type"].Error($"is {type}, which is not supported", "use a tokenizer with NFC or none");
        }
    }

    private static BytePairDefinition ReadPreTokenizer(JsonPlace preTokenizer, BytePairDefinition definition)
    {
        if (preTokenizer.IsNull)
            throw preTokenizer.Error("is null, but only byte-level BPE is supported", UseByteLevel);
        var steps = new List<JsonPlace>();
        Flatten(preTokenizer, steps);

        var splitters = new List<WordSplitter>();
        for (var i = 0; i < steps.Count; i++)
        {
            var (type, last) = (steps[i]["type"].Text(), i == steps.Count - 1);
            if (type == "ByteLevel" && last)
            {
                return definition with
                {
                    Splitters = splitters,
                    AddPrefixSpace = steps[i]["add_prefix_space"].Flag(true),
                    SplitGpt2Words = steps[i]["use_regex"].Flag(true),
                };
            }

            splitters.Add(type switch
            {
                "Split" => ReadSplit(steps[i]),
                "Digits" => new WordSplitter(steps[i]["individual_digits"].Flag(false) ? @"\p{N}" : @"\p{N}+"),
                "ByteLevel" => throw steps[i].Error("is a ByteLevel that is not the last step", UseByteLevel),
                _ => throw steps[i]["type"].Error($"is {type}, which is not supported", UseByteLevel),
            });
        }

        throw preTokenizer.Error("has no ByteLevel step, but only byte-level BPE is supported", UseByteLevel);
    }

    private static void Flatten(JsonPlace preTokenizer, List<JsonPlace> steps)
    {
        if (preTokenizer["type"].Text() != "Sequence")
        {
            steps.Add(preTokenizer);
            return;
        }

        foreach (var step in preTokenizer["pretokenizers"].Items())
            Flatten(step, steps);
    }

    // "Removed" of what does not match is how files say "the matches are the words" of patterns that match everything.
    private static WordSplitter ReadSplit(JsonPlace split)
    {
        var behavior = split["behavior"].Text();
        if (behavior != "Isolated" && !(behavior == "Removed" && split["invert"].Flag(false)))
            throw split["behavior"].Error($"is {behavior}, which is not supported", "use \"Isolated\"");

        var place = split["pattern"]["Regex"];
        var pattern = place.IsNull ? Regex.Escape(split["pattern"]["String"].Text()) : place.Text();
        try
        {
            return new WordSplitter(pattern);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw place.Error(
                $"is a regular expression that is not supported ({exception.Message.TrimEnd('.')})",
                "use a tokenizer with another pattern",
                exception);
        }
    }
}
