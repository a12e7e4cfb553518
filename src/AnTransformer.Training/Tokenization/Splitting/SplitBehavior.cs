namespace AnTransformer.Training.Tokenization.Splitting;

/// <summary>
/// What becomes of the matches of a <c>Split</c> step: <c>SplitDelimiterBehavior</c> of Hugging Face <c>tokenizers</c>.
/// </summary>
internal enum SplitBehavior
{
    /// <summary>Each match is a piece, and what lies between two matches is one.</summary>
    Isolated,

    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>A match ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Matches that touch are one piece.</summary>
    Contiguous,
}
