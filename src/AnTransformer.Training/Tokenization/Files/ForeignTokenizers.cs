using System.Buffers.Text;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>Names the tokenizer files of other libraries, so that a message can say what lies there.</summary>
internal static class ForeignTokenizers
{
    private const string Convert = "give the tokenizer.json that Hugging Face transformers writes for it "
        + "(save_pretrained), if it is a byte-level BPE";

    private static readonly string[] FileNames =
    [
        "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "tekken.json", "qwen.tiktoken", "vocab.txt",
        "spm.model",
    ];

    /// <summary>What a directory without a tokenizer that can be read has instead; null for nothing known.</summary>
    public static string? DescribeDirectory(string directory)
    {
        foreach (var name in FileNames)
        {
            var path = Path.Combine(directory, name);
            if (File.Exists(path))
                return Describe(path, TokenizerFiles.ReadFile(path));
        }

        return null;
    }

    /// <summary>A sentence about a file; null for one that may be a <c>tokenizer.json</c>.</summary>
    public static string? Describe(string path, ReadOnlySpan<byte> content)
    {
        var name = Path.GetFileName(path);
        if (name == "tekken.json")
            return $"{path} is a tokenizer of Mistral's library (tekken), which is not supported; {Convert}.";
        if (name == "vocab.txt")
            return $"{path} is a WordPiece vocabulary, as BERT has, which is not supported; use a tokenizer with "
                + "byte-level BPE.";
        if (IsSentencePiece(content))
        {
            return $"{path} is a SentencePiece model, as Llama 2, Mistral, Gemma and T5 have, which is not supported; "
                + "use a tokenizer with "
                + "byte-level BPE (tokenizer.json), or learn one from your text.";
        }

        return IsTiktoken(content)
            ? $"{path} is a list of ranks of tiktoken, which is not supported; {Convert}."
            : null;
    }

    // A protocol buffer whose first fields are the pieces: field 1, a message that begins with the piece's text, field
    // 1 again.
    private static bool IsSentencePiece(ReadOnlySpan<byte> content) =>
        content.Length > 8 && content[0] == 0x0A && content[1] is > 2 and < 0x80 && content[2] == 0x0A
            && content[3] <= content[1] - 2;

    // Lines of a token in Base64, a space, and its rank.
    private static bool IsTiktoken(ReadOnlySpan<byte> content)
    {
        var end = content.IndexOf((byte)'\n');
        var line = end < 0 ? content : content[..end].TrimEnd((byte)'\r');
        var space = line.IndexOf((byte)' ');
        return space > 0 && Base64.IsValid(line[..space]) && line.Length > space + 1
            && line[(space + 1)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }
}
