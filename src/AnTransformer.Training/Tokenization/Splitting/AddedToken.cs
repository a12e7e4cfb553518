namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>An added token of a vocabulary: one that a text is searched for before it is cut into words.</summary>
internal sealed record AddedToken
{
    /// <summary>Its id.</summary>
    public required int Id { get; init; }

    /// <summary>Its text as the file has it; not empty.</summary>
    public required string Content { get; init; }

    /// <summary>Whether it marks something that is no text, as end-of-text does.</summary>
    public required bool Special { get; init; }

    /// <summary>Whether it is searched for after normalization rather than before.</summary>
    public bool Normalized { get; init; }

    /// <summary>Whether it counts only where no word character touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Whether it takes the whitespace before it.</summary>
    public bool StripLeft { get; init; }

    /// <summary>Whether it takes the whitespace after it.</summary>
    public bool StripRight { get; init; }
}
