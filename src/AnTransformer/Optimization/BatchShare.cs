namespace AnTransformer.Optimization;

/// <summary>The micro-batches of a step that one of several processes computes.</summary>
/// <param name="MicroBatches">First sequence of each within the step, and how many there are.</param>
/// <param name="Sequences">Sequences of the step, of all processes.</param>
public sealed record BatchShare(IReadOnlyList<(int First, int Count)> MicroBatches, int Sequences)
{
    /// <summary>Sequences of this process.</summary>
    public int Own => MicroBatches.Sum(part => part.Count);

    /// <summary>
    /// Cuts a step. Where processes can have equally many of the micro-batches of one alone they do, and compute the
    /// same sums; else each has a part of the sequences, in micro-batches of its own.
    /// </summary>
    /// <param name="batchSize">Most sequences of a micro-batch.</param>
    /// <param name="gradientAccumulation">Micro-batches of a step of one process.</param>
    /// <param name="rank">Which process.</param>
    /// <param name="size">How many there are.</param>
    /// <param name="whole">
    /// Whether micro-batches must stay as they are, since the mean over one is not that over its sequences (masked
    /// language models), or for the same bits with any number of processes.
    /// </param>
    /// <exception cref="InvalidInputException">There is not enough for everybody.</exception>
    public static BatchShare Of(int batchSize, int gradientAccumulation, int rank, int size, bool whole = false)
    {
        var sequences = checked(batchSize * gradientAccumulation);
        if (gradientAccumulation % size == 0)
        {
            var own = gradientAccumulation / size;
            return new BatchShare(
                [.. Enumerable.Range(rank * own, own).Select(micro => (micro * batchSize, batchSize))], sequences);
        }

        if (whole)
        {
            throw new InvalidInputException(
                $"{size} processes cannot share training.gradient_accumulation {gradientAccumulation} micro-batches "
                    + "equally, as masked language models and distributed.deterministic need; choose a multiple of "
                + $"{size} and a smaller training.batch_size.");
        }

        if (sequences < size)
        {
            throw new InvalidInputException(
                $"{size} processes cannot share a step of {sequences} sequences; choose a larger "
                    + "training.batch_size or start fewer.");
        }

        var first = (int)((long)sequences * rank / size);
        var end = (int)((long)sequences * (rank + 1) / size);
        var parts = new List<(int, int)>();
        for (; first < end; first += batchSize)
            parts.Add((first, Math.Min(batchSize, end - first)));
        return new BatchShare(parts, sequences);
    }
}
