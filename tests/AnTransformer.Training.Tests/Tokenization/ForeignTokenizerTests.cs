using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class ForeignTokenizerTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, byte[], string> Files => new()
    {
        { "tokenizer.model", [0x0A, 0x0E, 0x0A, 0x05, .. "<unk>"u8, 0x15, 0, 0, 0, 0, 0x18, 2], "SentencePiece model" },
        { "spiece.model", [0x0A, 0x0E, 0x0A, 0x05, .. "<pad>"u8, 0x15, 0, 0, 0, 0, 0x18, 3], "SentencePiece model" },
        { "tokenizer.model", "IQ== 0\nIg== 1\n"u8.ToArray(), "tiktoken" },
        { "qwen.tiktoken", "IQ== 0\r\nIg== 1\r\n"u8.ToArray(), "tiktoken" },
        { "tekken.json", "{\"config\": {}}"u8.ToArray(), "tekken" },
        { "vocab.txt", "[PAD]\n[UNK]\n"u8.ToArray(), "WordPiece" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Files_of_other_libraries_are_named(string name, byte[] content, string kind)
    {
        var path = Path.Combine(_directory.Path, name);
        File.WriteAllBytes(path, content);
        foreach (var place in (string[])[path, _directory.Path])
        {
            var error = Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(place));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
            Assert.Contains(kind, error.Message, StringComparison.Ordinal);
        }
    }
}
