using System.Text.Json;
using System.Text.Json.Nodes;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>Hand-made <c>tokenizer.json</c> files: the 256 bytes and some merges, end-of-text last.</summary>
internal static class TokenizerJson
{
    public static readonly (string Left, string Right)[] Merges =
    [
        (" ", "t"), ("h", "e"), (" t", "he"), ("i", "n"), ("a", "a"), ("aa", "aa"), ("r", "e"), ("a", "b"), ("ab", "c"),
        ("b", "c"), ("l", "l"), ("1", "2"), ("12", "3"), ("Ã", "©"), ("n", "s"), ("o", "n"), ("in", "on"), ("'", "s"),
        ("ns", "t"), ("o", "ns"),
    ];

    public static JsonObject Create()
    {
        var vocabulary = new JsonObject();
        foreach (var name in Names())
            vocabulary[name] = vocabulary.Count;
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = new JsonArray(Added(vocabulary.Count - 1, "<|endoftext|>", special: true)),
            ["normalizer"] = null,
            ["pre_tokenizer"] = ByteLevel(),
            ["post_processor"] = null,
            ["decoder"] = ByteLevel(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = "",
                ["end_of_word_suffix"] = "",
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = new JsonArray([.. MergeTexts().Select(pair => (JsonNode)$"{pair.Left} {pair.Right}")]),
            },
        };
    }

    public static IEnumerable<string> Names() =>
    [
        .. ReferenceBytePairs.ByteOrder().Select(value => ReferenceBytePairs.ToFileText(((char)value).ToString())),
        .. MergeTexts().Select(pair => pair.Left + pair.Right),
        "<|endoftext|>",
    ];

    public static IEnumerable<(string Left, string Right)> MergeTexts() =>
        Merges.Select(pair => (ReferenceBytePairs.ToFileText(pair.Left), ReferenceBytePairs.ToFileText(pair.Right)));

    public static JsonObject Added(int id, string content, bool special, bool normalized = false) => new()
    {
        ["id"] = id,
        ["content"] = content,
        ["single_word"] = false,
        ["lstrip"] = false,
        ["rstrip"] = false,
        ["normalized"] = normalized,
        ["special"] = special,
    };

    public static JsonObject ByteLevel(bool addPrefixSpace = false, bool useRegex = true) => new()
    {
        ["type"] = "ByteLevel",
        ["add_prefix_space"] = addPrefixSpace,
        ["trim_offsets"] = true,
        ["use_regex"] = useRegex,
    };

    public static JsonObject Split(string pattern, string behavior = "Isolated", bool invert = false) => new()
    {
        ["type"] = "Split",
        ["pattern"] = new JsonObject { ["Regex"] = pattern },
        ["behavior"] = behavior,
        ["invert"] = invert,
    };

    public static JsonObject Sequence(params JsonObject[] steps) => new()
    {
        ["type"] = "Sequence",
        ["pretokenizers"] = new JsonArray([.. steps]),
    };

    public static JsonNode Parse(byte[] json) => JsonNode.Parse(json, documentOptions: default(JsonDocumentOptions))!;
}
