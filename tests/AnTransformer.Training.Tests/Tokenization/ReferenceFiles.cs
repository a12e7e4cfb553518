using System.Text.Json.Nodes;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>Results of Hugging Face's library that <c>tests/reference/tokenizers</c> makes.</summary>
internal static class ReferenceFiles
{
    public static IReadOnlyList<string> Texts { get; } = [.. Read("texts.json").AsArray().Select(text => text!.GetValue<string>())];

    public static JsonNode Read(string name) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fixtures", "tokenizers", name)))!;

    public static List<int> Ids(JsonNode ids) => [.. ids.AsArray().Select(id => id!.GetValue<int>())];
}
