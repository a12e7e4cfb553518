using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>
/// Reads the <c>pre_tokenizer</c> of a <c>tokenizer.json</c>: steps that cut the text, and the byte-level step as the
/// last.
/// </summary>
internal static class PreTokenizerReader
{
    public static BytePairDefinition Read(JsonPlace preTokenizer, BytePairDefinition definition)
    {
        if (preTokenizer.IsNull)
            throw preTokenizer.Error("is null, but only byte-level BPE is supported", TokenizerJsonReader.UseByteLevel);
        var steps = new List<JsonPlace>();
        Flatten(preTokenizer, steps);

        var splitters = new List<WordSplitter>();
        for (var i = 0; i < steps.Count; i++)
        {
            var (type, last) = (steps[i]["type"].Text(), i == steps.Count - 1);
            if (type == "ByteLevel" && last)
            {
                steps[i].RequireKnown("type", "add_prefix_space", "trim_offsets", "use_regex");
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
                "Digits" => ReadDigits(steps[i]),
                "ByteLevel"
                    => throw steps[i]
                        .Error("is a ByteLevel that is not the last step", TokenizerJsonReader.UseByteLevel),
                _ => throw steps[i]["type"]
                    .Error($"is {type}, which is not supported", TokenizerJsonReader.UseByteLevel),
            });
        }

        throw preTokenizer.Error(
            "has no ByteLevel step, but only byte-level BPE is supported", TokenizerJsonReader.UseByteLevel);
    }

    private static void Flatten(JsonPlace preTokenizer, List<JsonPlace> steps)
    {
        if (preTokenizer["type"].Text() != "Sequence")
        {
            steps.Add(preTokenizer);
            return;
        }

        preTokenizer.RequireKnown("type", "pretokenizers");
        foreach (var step in preTokenizer["pretokenizers"].Items())
            Flatten(step, steps);
    }

    private static WordSplitter ReadDigits(JsonPlace digits)
    {
        digits.RequireKnown("type", "individual_digits");
        return new WordSplitter(digits["individual_digits"].Flag(false) ? @"\p{N}" : @"\p{N}+");
    }

    private static WordSplitter ReadSplit(JsonPlace split)
    {
        split.RequireKnown("type", "pattern", "behavior", "invert");
        var name = split["behavior"].Text();
        if (!Enum.GetNames<SplitBehavior>().Contains(name))
            throw split["behavior"].Error($"is {name}, which is not supported", "use \"Isolated\"");

        split["pattern"].RequireKnown("Regex", "String");
        var place = split["pattern"]["Regex"];
        if (place.IsNull)
            place = split["pattern"]["String"];
        var literal = split["pattern"]["Regex"].IsNull;
        var pattern = place.Text();
        if (pattern.Length == 0)
            throw place.Error("is empty", "use a tokenizer with another pattern");
        try
        {
            return new WordSplitter(
                literal ? EscapeLiteral(pattern) : pattern, Enum.Parse<SplitBehavior>(name),
                split["invert"].Flag(false));
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw place.Error(
                $"is a pattern that is not supported ({exception.Message.TrimEnd('.')})",
                "use a tokenizer with another pattern",
                exception);
        }
    }

    private static string EscapeLiteral(string text) =>
        string.Concat(
            text.Select(
                c => char.IsAsciiLetterOrDigit(c) || !char.IsAscii(c) || char.IsControl(c) ? c.ToString() : $"\\{c}"));
}
