namespace AnTransformer.Training.Data;

/// <summary>
/// The order in which training sees a data set: an endless sequence of windows of <c>T</c> inputs and the <c>T</c>
/// targets one token later. Sequence <c>i</c> belongs to epoch <c>i / N</c>, and every epoch visits each of the
/// <c>N</c> windows exactly once. A function of <c>(seed, i)</c> alone, so that a resumed run needs nothing but its
/// position. Safe for several threads. For a masked language model the targets are the inputs' own tokens
/// (<see cref="Masked"/>).
/// </summary>
public sealed class WindowSampler
{
    private readonly TokenDataset _dataset;
    private readonly ulong? _seed;
    private readonly TokenMasker? _masker;

    private WindowSampler(TokenDataset dataset, int sequenceLength, ulong? seed, TokenMasker? masker = null)
    {
        _masker = masker;
        _dataset = dataset;
        _seed = seed;
        SequenceLength = sequenceLength;
        WindowCount = dataset.WindowCount(sequenceLength);
    }

    /// <summary>T: the number of inputs, and of targets, of a window.</summary>
    public int SequenceLength { get; }

    /// <summary>N: the number of windows, and so of sequences in an epoch.</summary>
    public long WindowCount { get; }

    /// <summary>A sampler that visits the windows in a new pseudorandom order in each epoch.</summary>
    /// <param name="dataset">The tokens; not owned.</param>
    /// <param name="sequenceLength">T.</param>
    /// <param name="seed">Chooses the orders.</param>
    /// <exception cref="InvalidInputException">The data set is too small for one window.</exception>
    public static WindowSampler Shuffled(TokenDataset dataset, int sequenceLength, long seed) =>
        new(dataset, sequenceLength, (ulong)seed);

    /// <summary>A sampler that visits the windows in the order of the data, as evaluation does.</summary>
    /// <param name="dataset">The tokens; not owned.</param>
    /// <param name="sequenceLength">T.</param>
    /// <exception cref="InvalidInputException">The data set is too small for one window.</exception>
    public static WindowSampler Sequential(TokenDataset dataset, int sequenceLength)
        => new(dataset, sequenceLength, null);

    /// <summary>The same windows with tokens of each masked.</summary>
    /// <param name="masker">Masks them; null to leave the windows as they are.</param>
    public WindowSampler Masked(TokenMasker? masker) => new(_dataset, SequenceLength, _seed, masker);

    /// <summary>The window that a sequence reads.</summary>
    /// <param name="sequence">Index in the endless sequence.</param>
    /// <returns>A window in <c>[0, WindowCount)</c>.</returns>
    public long WindowOf(long sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        var (epoch, position) = Math.DivRem(sequence, WindowCount);
        return _seed is { } seed ? new IndexPermutation(WindowCount, seed, (ulong)epoch)[position] : position;
    }

    /// <summary>Reads consecutive sequences as a batch.</summary>
    /// <param name="firstSequence">
    /// Index of the first sequence; step s of a run with batches of B reads from s·B on.
    /// </param>
    /// <param name="batchSize">B.</param>
    /// <param name="inputs">Receives [B, T] token ids, row by row.</param>
    /// <param name="targets">
    /// Receives [B, T] token ids: for each input the token that follows it; of masked windows the token at each
    /// position that is to be predicted, and <see cref="Operators.IgnoredTargets.Index"/> elsewhere.
    /// </param>
    /// <exception cref="ArgumentException">A span's length is not B·T.</exception>
    /// <exception cref="InvalidInputException">
    /// A token id is outside the vocabulary the data set was opened with.
    /// </exception>
    public void GetBatch(long firstSequence, int batchSize, Span<long> inputs, Span<long> targets)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstSequence);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var length = (long)batchSize * SequenceLength;
        if (inputs.Length != length)
            throw new ArgumentException($"Must hold {batchSize} × {SequenceLength} tokens.", nameof(inputs));
        if (targets.Length != length)
            throw new ArgumentException($"Must hold {batchSize} × {SequenceLength} tokens.", nameof(targets));
        for (var row = 0; row < batchSize; row++)
        {
            var start = row * SequenceLength;
            _dataset.CopyWindow(WindowOf(firstSequence + row), SequenceLength,
                inputs.Slice(start, SequenceLength), targets.Slice(start, SequenceLength));
            _masker?.Apply(
                firstSequence + row, inputs.Slice(start, SequenceLength), targets.Slice(start, SequenceLength));
        }
    }
}
