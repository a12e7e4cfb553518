namespace AnTransformer.Training.Configuration;

/// <summary>Where a run's tokenizer comes from.</summary>
public enum TokenizerKind
{
    /// <summary>A byte-level BPE, learned from the text.</summary>
    Bpe,

    /// <summary>Every byte is a token.</summary>
    Bytes,

    /// <summary>A file, or a directory with one.</summary>
    File,
}
