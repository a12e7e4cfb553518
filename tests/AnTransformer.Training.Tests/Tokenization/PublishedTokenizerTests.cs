using System.Text.Json.Nodes;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>Whole published tokenizers against Hugging Face's library; see <c>tests/reference/tokenizers/README.md</c>.</summary>
public sealed class PublishedTokenizerTests(ITestOutputHelper output)
{
    private const string FolderVariable = "ANTRANSFORMER_TOKENIZERS";

    [Fact(Explicit = true)]
    public void Published_tokenizers_give_the_ids_of_the_reference_or_are_refused()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable);
        Assert.False(string.IsNullOrEmpty(folder), $"set {FolderVariable} to the folder that published.js has written");
        var differences = 0;
        foreach (var directory in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(directory);
            var expected = JsonNode.Parse(File.ReadAllBytes(Path.Combine(directory, "expected.json")))!;
            try
            {
                var found = Compare(directory, expected, "plain", SpecialTokensInText.Plain)
                    + Compare(directory, expected, "recognized", SpecialTokensInText.Recognized);
                differences += found;
                var end = TokenizerFiles.Load(directory);
                output.WriteLine($"{name}: {(found == 0 ? "equal" : $"{found} texts differ")}; end of text {end.EndOfText} ({end.EndOfTextId})");
            }
            catch (InvalidInputException refusal)
            {
                output.WriteLine($"{name}: refused: {refusal.Message}");
            }
        }

        Assert.Equal(0, differences);
    }

    private int Compare(string directory, JsonNode expected, string kind, SpecialTokensInText special)
    {
        if (expected[kind] is not { } ids)
            return 0;
        var tokenizer = TokenizerFiles.Load(directory, new TokenizerOptions { SpecialTokens = special });
        var differences = 0;
        foreach (var (text, i) in expected["texts"]!.AsArray().Select((text, i) => (text!.GetValue<string>(), i)))
        {
            var (wanted, got) = (ReferenceFiles.Ids(ids[i]!), tokenizer.Encode(text));
            if (wanted.SequenceEqual(got))
                continue;
            differences++;
            output.WriteLine($"{Path.GetFileName(directory)}, {kind}, text {i}: {string.Join(' ', wanted)} but {string.Join(' ', got)}");
        }

        return differences;
    }
}
