using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Export.Gguf;

/// <summary>A tokenizer as the pairs of a GGUF file: llama.cpp's byte-level BPE, which it calls <c>gpt2</c>.</summary>
internal static class GgufTokenizer
{
    private const int Normal = 1;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;

    private const string Llama3Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Qwen2Words =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>Adds a tokenizer's pairs; without one those of a model of ids alone.</summary>
    /// <param name="metadata">Receives the pairs.</param>
    /// <param name="tokenizer">The tokenizer, or null.</param>
    /// <param name="vocabSize">The model's ids, as many as the tokenizer's or more.</param>
    /// <returns>Whole sentences about what the file cannot say.</returns>
    /// <exception cref="InvalidInputException">llama.cpp has no such way to split text into words.</exception>
    public static IReadOnlyList<string> Add(GgufMetadata metadata, Tokenizer? tokenizer, int vocabSize)
    {
        if (tokenizer is null)
        {
            metadata.Add("tokenizer.ggml.model", "no_vocab");
            return ["The file has no tokenizer (no_vocab): llama.cpp takes token ids only."];
        }

        var definition = DefinitionOf(tokenizer);
        metadata.Add("tokenizer.ggml.model", "gpt2");
        metadata.Add("tokenizer.ggml.pre", PreTokenizer(definition));
        var (tokens, types) = Tokens(definition, vocabSize);
        metadata.Add("tokenizer.ggml.tokens", tokens);
        metadata.Add("tokenizer.ggml.token_type", types);
        metadata.Add(
            "tokenizer.ggml.merges",
            [.. definition.Merges.Select(merge => $"{definition.Names[merge.Left]} {definition.Names[merge.Right]}")]);
        // Where a file names none, llama.cpp takes token 11 for both, which then ends whatever it generates.
        var end = definition.EndOfTextId ?? LastUnused(types) ?? (vocabSize - 1);
        metadata.Add("tokenizer.ggml.bos_token_id", end);
        metadata.Add("tokenizer.ggml.eos_token_id", end);
        metadata.Add("tokenizer.ggml.add_bos_token", value: false);
        return [.. Notes(definition, end)];
    }

    /// <summary>What defines a tokenizer.</summary>
    internal static BytePairDefinition DefinitionOf(Tokenizer tokenizer) => tokenizer switch
    {
        BytePairTokenizer pairs => pairs.Definition,
        ByteTokenizer => ByteTokenizer.Definition(),
        _ => throw new InvalidInputException(
            "the tokenizer is not a byte-level BPE, which is all that can be exported."),
    };

    private static (List<string> Tokens, List<int> Types) Tokens(BytePairDefinition definition, int vocabSize)
    {
        var added = definition.AddedTokens.ToDictionary(token => token.Id);
        var used = definition.Names.OfType<string>().ToHashSet(StringComparer.Ordinal);
        var (tokens, types) = (new List<string>(vocabSize), new List<int>(vocabSize));
        for (var id = 0; id < vocabSize; id++)
        {
            var name = id < definition.Names.Length ? definition.Names[id] : null;
            if (name is null)
            {
                name = FormattableString.Invariant($"<|unused_{id}|>");
                while (!used.Add(name))
                    name += "|";
                types.Add(Unused);
            }
            else
            {
                types.Add(id == definition.EndOfTextId || added.GetValueOrDefault(id) is { Special: true } ? Control
                    : added.ContainsKey(id) ? UserDefined
                    : Normal);
            }

            tokens.Add(name);
        }

        return (tokens, types);
    }

    private static int? LastUnused(List<int> types) => types.LastIndexOf(Unused) is >= 0 and var id ? id : null;

    /// <summary>llama.cpp's name for how a tokenizer splits text into words.</summary>
    private static string PreTokenizer(BytePairDefinition definition)
    {
        var splitters = definition.Splitters;
        if (definition is { AddPrefixSpace: false, SplitGpt2Words: true, IgnoreMerges: false })
        {
            if (splitters.Count == 0)
                return "gpt-2";
            if (splitters is [{ Pattern: @"\p{N}", Behavior: SplitBehavior.Isolated, Invert: false }])
                return "smollm";
        }

        if (definition is { AddPrefixSpace: false, SplitGpt2Words: false }
            && splitters is [{ Behavior: SplitBehavior.Isolated, Invert: false } words])
        {
            if (words.Pattern == Llama3Words)
                return definition.IgnoreMerges ? "llama-bpe" : "dbrx";
            if (words.Pattern == Qwen2Words && !definition.IgnoreMerges)
                return "qwen2";
        }

        throw new InvalidInputException(
            "the tokenizer splits text into words in a way that llama.cpp has no name for (it knows GPT-2's, Llama 3's "
                + "and Qwen2's patterns, "
            + "among others); export with --format hf, or remove tokenizer.json from a copy of the checkpoint to "
            + "export token ids alone.");
    }

    private static IEnumerable<string> Notes(BytePairDefinition definition, int end)
    {
        if (definition.EndOfTextId is null)
            yield return $"The tokenizer has no token that ends a text; the file has to name one, and names id {end}.";
        if (definition.NormalizeNfc)
            yield return "The tokenizer brings text into Unicode form C first, which llama.cpp does not: give it such "
                + "text.";
        if (definition.AddedTokens.Any(token => token.SingleWord || token.StripLeft || token.StripRight))
            yield return "Some added tokens take the white space beside them or only match whole words, which "
                + "llama.cpp does not do.";
    }
}
