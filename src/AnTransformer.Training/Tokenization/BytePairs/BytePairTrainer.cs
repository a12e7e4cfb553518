namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>How to learn a byte-level BPE.</summary>
public sealed record BytePairTrainerOptions
{
    /// <summary>The smallest vocabulary: the 256 bytes and end-of-text.</summary>
    public const int SmallestVocabulary = 257;

    /// <summary>The largest vocabulary.</summary>
    public const int LargestVocabulary = 1 << 24;

    /// <summary>The number of ids to reach, with the 256 bytes and end-of-text.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Pairs that occur less often are not merged.</summary>
    public int MinimumFrequency { get; init; } = 2;

    /// <summary>
    /// Bounds memory: whenever more distinct words than this have been counted, the rarest are forgotten until at most
    /// half as many are left. The result stays deterministic, but rare words may be missing from it. Null: no bound.
    /// </summary>
    public int? MaximumDistinctWords { get; init; }

    /// <summary>Words of more bytes (text without spaces, encoded data) are cut into pieces of this length.</summary>
    public int MaximumWordBytes { get; init; } = 1024;

    /// <summary>Threads that count words; by default, one for each core. The result does not depend on it.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;
}

/// <summary>How far training of a tokenizer is.</summary>
/// <param name="BytesRead">Bytes of text counted so far.</param>
/// <param name="VocabularySize">Ids learned so far; 0 while text is being counted.</param>
/// <param name="RequestedVocabularySize">Ids to reach.</param>
public sealed record BytePairTrainingProgress(long BytesRead, int VocabularySize, int RequestedVocabularySize);

/// <summary>A learned tokenizer and what it was learned from.</summary>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="RequestedVocabularySize">The number of ids that were asked for.</param>
/// <param name="BytesRead">Bytes of text.</param>
/// <param name="DistinctWords">Different words the merges were learned from.</param>
/// <param name="WordsForgotten">
/// Whether rare words were left out because of <see cref="BytePairTrainerOptions.MaximumDistinctWords"/>.
/// </param>
public sealed record BytePairTrainingResult(
    BytePairTokenizer Tokenizer,
    int RequestedVocabularySize,
    long BytesRead,
    int DistinctWords,
    bool WordsForgotten)
{
    /// <summary>One sentence for the user when the vocabulary is smaller than asked for, otherwise null.</summary>
    public string? Warning => Tokenizer.VocabularySize == RequestedVocabularySize
        ? null
        : $"The text has too few repeated pairs for {RequestedVocabularySize} tokens: the vocabulary has "
            + $"{Tokenizer.VocabularySize}; use more text or ask for fewer.";
}

/// <summary>
/// Learns byte-level byte-pair encodings (Sennrich et al., 2016; on bytes, with GPT-2's pre-tokenization): starting
/// from single bytes, the most frequent pair of neighbours within words becomes a token, again and again.
/// </summary>
/// <remarks>
/// Deterministic: of equally frequent pairs, the one with the smaller left id is merged, then the one with the smaller
/// right id, as in Hugging Face <c>tokenizers</c>. Ids follow GPT-2: first the bytes in the order of their stand-in
/// characters ('!' is 0), then the merges in the order they were learned, end-of-text last.
/// </remarks>
public static class BytePairTrainer
{
    /// <summary>Learns a tokenizer.</summary>
    /// <param name="documents">
    /// Texts, usually UTF-8; no word spans two. Each is copied before the next is asked for, so they may share a
    /// buffer.
    /// </param>
    /// <param name="options">The vocabulary size and more.</param>
    /// <param name="progress">Receives progress; called from the calling thread.</param>
    /// <param name="cancellationToken">Ends training early.</param>
    /// <returns>The tokenizer; its vocabulary is smaller than asked for when the text has too few pairs.</returns>
    /// <exception cref="InvalidInputException">An option is out of range.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    public static BytePairTrainingResult Train(
        IEnumerable<ReadOnlyMemory<byte>> documents,
        BytePairTrainerOptions options,
        IProgress<BytePairTrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);

        var counter = new WordCounter(options);
        counter.Count(
            documents,
            bytes => progress?.Report(new BytePairTrainingProgress(bytes, 0, options.VocabularySize)),
            cancellationToken);

        var learner = new MergeLearner(counter.Words, options.MinimumFrequency);
        learner.Learn(
            options.VocabularySize - 1,
            size => progress?.Report(new BytePairTrainingProgress(counter.BytesRead, size, options.VocabularySize)),
            cancellationToken);

        return new BytePairTrainingResult(
            ToTokenizer(learner),
            options.VocabularySize,
            counter.BytesRead,
            counter.Words.Count,
            counter.WordsForgotten);
    }

    private static BytePairTokenizer ToTokenizer(MergeLearner learner)
    {
        var byteIds = new int[256];
        for (var id = 0; id < byteIds.Length; id++)
            byteIds[ByteLevelAlphabet.BytesInOrder[id]] = id;
        return new BytePairTokenizer(new BytePairDefinition
        {
            Names = [.. learner.Tokens.Select(bytes => ByteLevelAlphabet.ToText(bytes)), BytePairVocabulary.EndOfText],
            Tokens = [.. learner.Tokens, []],
            ByteIds = byteIds,
            Merges = learner.Merges,
            EndOfTextId = learner.Tokens.Count,
        });
    }

    private static void Check(BytePairTrainerOptions options)
    {
        Require(
            options.VocabularySize is >= BytePairTrainerOptions.SmallestVocabulary
                and <= BytePairTrainerOptions.LargestVocabulary,
            $"The vocabulary size {options.VocabularySize} is out of range: give "
                + $"{BytePairTrainerOptions.SmallestVocabulary} "
            + $"(256 bytes and end-of-text) to {BytePairTrainerOptions.LargestVocabulary}.");
        Require(
            options.MinimumFrequency >= 1,
            $"The minimum frequency {options.MinimumFrequency} is out of range: give 1 or more.");
        Require(
            options.MaximumDistinctWords is null or >= 1,
            $"The maximum of {options.MaximumDistinctWords} distinct words is out of range: give 1 or more.");
        Require(
            options.MaximumWordBytes >= 2,
            $"The maximum word length of {options.MaximumWordBytes} bytes is out of range: give 2 or more.");
        Require(options.Threads >= 1, $"The number of threads {options.Threads} is out of range: give 1 or more.");

        static void Require(bool condition, string message)
        {
            if (!condition)
                throw new InvalidInputException(message);
        }
    }
}
