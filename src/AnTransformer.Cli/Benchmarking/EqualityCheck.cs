using AnTransformer.Operators;
using AnTransformer.Training.Benchmarking;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>
/// Whether ours computes what its eager twin computes: a speed-up of anything else would mean nothing.
/// </summary>
internal sealed record EqualityCheck(string Architecture, StepEquality Equality, double Tolerance)
{
    private const double SingleTolerance = 1e-3;

    // bf16 keeps 8 bits: orders of operations that are equally good differ by several of its last places.
    private const double BFloatTolerance = 5e-2;

    public bool Passed => Equality.IsWithin(Tolerance);

    /// <summary>Compares all pairs on one batch.</summary>
    public static IReadOnlyList<EqualityCheck> Run(Contestants contestants, RandomBatches batches, ModelContext context)
    {
        using var scope = NewDisposeScope();
        var (inputs, following) = batches.Next();
        var tokens = tensor(inputs, device: context.Device).view(batches.BatchSize, batches.Length);
        var targets = tensor(following, device: context.Device).view(batches.BatchSize, batches.Length);
        var tolerance = context.ComputeDtype == ScalarType.Float32 ? SingleTolerance : BFloatTolerance;
        return contestants.Pairs()
            .Select(
                pair => new EqualityCheck(
                    pair.Architecture, StepEquality.Measure(pair.Ours, pair.Eager, tokens, targets), tolerance))
            .ToList();
    }
}
