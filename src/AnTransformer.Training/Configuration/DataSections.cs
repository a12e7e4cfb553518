using System.ComponentModel;

namespace AnTransformer.Training.Configuration;

/// <summary>The <c>data</c> section.</summary>
public sealed class DataSection
{
    /// <summary>Raw text.</summary>
    [Description("Raw text to prepare when `path` does not exist yet: files, directories or patterns of .txt, .jsonl, .parquet, also .gz and .zst; bundled:austen.txt travels with the tool. May be empty when `path` exists.")]
    public List<string> Text { get; set; } = [];

    /// <summary>Token shards.</summary>
    [Description("Directory of token shards (train-*.bin, val-*.bin), as `angpt prepare` or llm.c writes them.")]
    public string Path { get; set; } = "";

    /// <summary>Share held out.</summary>
    [Description("Share of the documents held out for validation when text is prepared.")]
    [InRange(0, 0.9)]
    public double ValidationFraction { get; set; } = 0.05;

    /// <summary>JSON field or Parquet column.</summary>
    [Description("Field of JSON lines, or column of Parquet files, that holds the text.")]
    public string TextField { get; set; } = "text";

    /// <summary>Section size.</summary>
    [Description("Plain text files are cut at paragraphs into documents of about this many bytes; 0 makes each file one document.")]
    [InRange(0, 1 << 30)]
    public int SectionBytes { get; set; } = 16_384;
}

/// <summary>The <c>tokenizer</c> section.</summary>
public sealed class TokenizerSection
{
    /// <summary>bpe, bytes or file.</summary>
    [Description("bpe learns a byte-level BPE from the text; bytes uses single bytes; file loads `path`.")]
    [OneOf("bpe", "bytes", "file")]
    public string Kind { get; set; } = "bpe";

    /// <summary>Vocabulary size.</summary>
    [Description("Entries a BPE is learned with; for foreign shards without a tokenizer, the size of their vocabulary.")]
    [InRange(257, 1 << 24)]
    public int VocabSize { get; set; } = 4096;

    /// <summary>File or directory.</summary>
    [Description("A tokenizer.json, or a directory with one or with vocab.json and merges.txt, for kind file.")]
    public string? Path { get; set; }
}
