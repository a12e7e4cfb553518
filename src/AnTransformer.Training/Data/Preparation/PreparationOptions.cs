namespace AnTransformer.Training.Data.Preparation;

/// <summary>What <see cref="DatasetPreparation"/> is to do.</summary>
public sealed record PreparationOptions
{
    /// <summary>Files, directories or patterns; see <see cref="DocumentSource.Open"/>.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>The directory to make.</summary>
    public required string OutputDirectory { get; init; }

    /// <summary>
    /// Replace an existing data set (a directory with a valid <c>dataset.json</c> and no files of others); nothing else
    /// is ever replaced.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Adds files of the caller's to the directory, which it is given, before that gets its name; null for none.
    /// </summary>
    public Action<string>? Complete { get; init; }

    /// <summary>How files become documents.</summary>
    public DocumentSourceOptions Source { get; init; } = new();

    /// <summary>
    /// Part of the documents to hold back for validation, 0 to 0.5. Of each K = round(1 / fraction) consecutive
    /// documents exactly one is held back, chosen by the seed; of the first K it is always the second, so that a corpus
    /// of at least two documents has a validation split, however small it is. 0 holds back none.
    /// </summary>
    public double ValidationFraction { get; init; } = 0.01;

    /// <summary>Chooses the documents held back.</summary>
    public long Seed { get; init; }

    /// <summary>A new shard starts after this many tokens.</summary>
    public int MaxTokensPerShard { get; init; } = 100_000_000;

    /// <summary>Number of threads that tokenize; 0 for one per processor. Has no influence on the output.</summary>
    public int Workers { get; init; }

    /// <summary>Recorded in <c>dataset.json</c> to recognize the tokenizer by; null if unknown.</summary>
    public string? TokenizerFingerprint { get; init; }

    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    internal void Validate()
    {
        Source.Validate();
        if (OutputDirectory.Length == 0)
            throw new InvalidInputException("The output directory's name is empty; name a directory to make.");
        if (!(ValidationFraction is >= 0 and <= 0.5))
            throw new InvalidInputException($"The validation fraction is {ValidationFraction}; it must be 0 to 0.5.");
        if (ValidationFraction is > 0 and < 1e-9)
            throw new InvalidInputException(
                $"The validation fraction is {ValidationFraction}; use 0 for none, or at least 1e-9.");
        if (MaxTokensPerShard < 1)
            throw new InvalidInputException(
                $"The largest shard has {MaxTokensPerShard} tokens; it must have at least 1.");
        if (Workers is < 0 or > 1024)
            throw new InvalidInputException(
                $"The number of workers is {Workers}; it must be 0 (one per processor) to 1024.");
    }
}
