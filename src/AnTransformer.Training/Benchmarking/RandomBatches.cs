namespace AnTransformer.Training.Benchmarking;

/// <summary>
/// Batches of random token ids, the same for the same seed: what a step costs does not depend on what the ids say.
/// </summary>
/// <param name="batchSize">B.</param>
/// <param name="length">T.</param>
/// <param name="vocabSize">V.</param>
/// <param name="seed">Seed of the draw.</param>
public sealed class RandomBatches(int batchSize, int length, int vocabSize, int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>B.</summary>
    public int BatchSize { get; } = batchSize;

    /// <summary>T.</summary>
    public int Length { get; } = length;

    /// <summary>Draws B·T ids and the ids that follow them, row by row.</summary>
    public (long[] Inputs, long[] Targets) Next()
    {
        var (inputs, targets) = (new long[BatchSize * Length], new long[BatchSize * Length]);
        for (var row = 0; row < BatchSize; row++)
        {
            var id = (long)_random.Next(vocabSize);
            for (var position = 0; position < Length; position++)
            {
                inputs[(row * Length) + position] = id;
                id = _random.Next(vocabSize);
                targets[(row * Length) + position] = id;
            }
        }

        return (inputs, targets);
    }
}
