using AnTransformer.Operators;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Benchmarks;

/// <summary>Models of a size, with the update rule their architecture is trained with, in fp32 on the CPU.</summary>
/// <param name="Width">d.</param>
/// <param name="Layers">L.</param>
/// <param name="Heads">H.</param>
/// <param name="Length">T.</param>
/// <param name="BatchSize">B.</param>
/// <param name="VocabSize">V.</param>
internal sealed record BenchmarkModel(int Width, int Layers, int Heads, int Length, int BatchSize, int VocabSize)
{
    public static ModelContext Context { get; } = new(CPU, ScalarType.Float32, ScalarType.Float32);

    public RandomBatches Batches() => new(BatchSize, Length, VocabSize, seed: 1);

    public ModelStep Create(string architecture)
    {
        var configuration = new TrainingConfiguration();
        var model = configuration.Model;
        (model.Architecture, model.HiddenSize, model.NumHiddenLayers) = (architecture, Width, Layers);
        (model.NumAttentionHeads, model.MaxPositionEmbeddings) = (Heads, Length);
        (configuration.Training.Steps, configuration.Training.BatchSize) = (1, BatchSize);
        return new ModelStep(TrainingPlan.Create(configuration, VocabSize), Context, seed: 1);
    }
}
