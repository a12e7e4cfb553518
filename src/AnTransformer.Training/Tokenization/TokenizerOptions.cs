namespace AnTransformer.Training.Tokenization;

/// <summary>What to do with a special token, such as <c>&lt;|endoftext|&gt;</c>, that a text spells out.</summary>
public enum SpecialTokensInText
{
    /// <summary>
    /// It is text like any other and becomes several ordinary tokens: what somebody wrote cannot pretend to be the end
    /// of a document.
    /// </summary>
    Plain,

    /// <summary>It becomes its id, as <c>encode</c> of Hugging Face <c>tokenizers</c> has it.</summary>
    Recognized,
}

/// <summary>How a tokenizer is loaded.</summary>
public sealed record TokenizerOptions
{
    /// <summary>
    /// The text of the token between documents, or null for what the files say: <c>eos_token</c> of
    /// <c>tokenizer_config.json</c> or <c>special_tokens_map.json</c>, else one of the usual names in the vocabulary,
    /// else <c>eos_token_id</c> of <c>generation_config.json</c>.
    /// </summary>
    public string? EndOfText { get; init; }

    /// <summary>What special tokens in a text are.</summary>
    public SpecialTokensInText SpecialTokens { get; init; }
}
