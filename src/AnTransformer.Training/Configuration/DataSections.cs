using System.ComponentModel;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>data</c> section.</summary>
public sealed class DataSection : IValidatable
{
    /// <summary>Raw text.</summary>
    [Description("Text to learn from, made into token shards when `path` does not exist yet: one or several files, "
        + "directories "
        + "or patterns of .txt, .jsonl, .ndjson, .json and .parquet, also .gz and .zst; bundled:austen.txt is the "
        + "corpus that comes "
        + "with the tool. Empty when `path` holds shards already.")]
    public List<string> Text { get; set; } = [];

    /// <summary>Token shards.</summary>
    [Description("Directory of token shards, as `angpt prepare` and llm.c write them.")]
    public string Path { get; set; } = "";

    /// <summary>Share held out.</summary>
    [Description("Share of the documents held out for validation when text is prepared.")]
    [InRange(0, 0.9)]
    public double ValidationFraction { get; set; } = 0.05;

    /// <summary>JSON field or Parquet column.</summary>
    [Description("Field of JSON lines, or column of Parquet files, that holds the text.")]
    public string TextField { get; set; } = "text";

    /// <summary>Section size.</summary>
    [Description("Plain text files are cut at paragraphs into documents of about this many bytes; 0 makes each file "
        + "one "
        + "document.")]
    [InRange(0, 1 << 30)]
    public int SectionBytes { get; set; } = 16_384;

    /// <summary>How bytes are characters.</summary>
    [Description("How the bytes of text and JSON files are characters: auto (UTF-8, or UTF-16 where a byte-order mark "
        + "says so), utf-8 (whatever "
        + "the bytes are), utf-16le, utf-16be, latin1 or windows-1252.")]
    public TextEncoding Encoding { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (string.IsNullOrWhiteSpace(Path))
        {
            yield return new ConfigurationProblem(
                "data.path must name a directory of token shards (made from data.text when it does not exist yet)",
                "path");
        }

        if (Text.Exists(string.IsNullOrWhiteSpace))
            yield return new ConfigurationProblem("data.text has an empty entry; remove it or name a file", "text");
        if (string.IsNullOrWhiteSpace(TextField))
            yield return new ConfigurationProblem(
                "data.text_field is empty; name the field that holds the text", "text_field");
    }
}

/// <summary>The <c>tokenizer</c> section.</summary>
public sealed class TokenizerSection : IValidatable
{
    /// <summary>bpe, bytes or file.</summary>
    [Description("How text becomes tokens: bpe (a byte-level BPE learned from the text), bytes (every byte a token) or "
        + "file "
        + "(load `path`).")]
    public TokenizerKind Kind { get; set; }

    /// <summary>Vocabulary size.</summary>
    [Description("Entries of the vocabulary a BPE is learned with; for shards that come without a tokenizer, the size "
        + "of "
        + "their vocabulary: 50257 for llm.c's shards of GPT-2 tokens, 128256 for those of Llama 3.")]
    [InRange(257, 1 << 24)]
    public int VocabSize { get; set; } = 4096;

    /// <summary>File or directory.</summary>
    [Description("For kind file: a tokenizer.json, or a directory with one or with vocab.json and merges.txt.")]
    public string? Path { get; set; }

    /// <summary>Text of the token between documents.</summary>
    [Description("For kind file: the token between documents, by its text; null for what the files beside the "
        + "tokenizer say "
        + "(eos_token of tokenizer_config.json), else a usual name such as <|endoftext|>.")]
    public string? EndOfText { get; set; }

    /// <summary>plain or recognized.</summary>
    [Description("What a special token such as <|endoftext|> is where a text spells it out: plain (text like any "
        + "other, so that "
        + "no text can pretend to be one) or recognized (its id).")]
    public SpecialTokensInText SpecialTokens { get; set; }

    /// <summary>The section's part of how a tokenizer is loaded.</summary>
    public TokenizerOptions ToOptions() => new() { EndOfText = EndOfText, SpecialTokens = SpecialTokens };

    /// <inheritdoc/>
    public IEnumerable<ConfigurationProblem> Validate()
    {
        if (Kind != TokenizerKind.File && EndOfText is not null)
            yield return new ConfigurationProblem(
                "tokenizer.end_of_text can be given when tokenizer.kind is file only", "end_of_text", "kind");
        if (Kind == TokenizerKind.File && string.IsNullOrWhiteSpace(Path))
            yield return new ConfigurationProblem(
                "tokenizer.path must be given when tokenizer.kind is file", "path", "kind");
    }
}
