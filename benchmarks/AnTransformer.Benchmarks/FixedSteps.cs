using System.Globalization;
using System.Runtime.InteropServices;
using AnTransformer.Operators;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Benchmarks;

/// <summary>
/// <c>steps N ARCHITECTURE …</c>: training steps of fixed small models on one thread, for programs that count
/// instructions (<c>.ci/instructions</c>). Everything is compiled in steps that come first; then between each two
/// architectures' N steps a function of the C library is called, at which valgrind's callgrind is told to note its count
/// (<c>--dump-before=gnu_get_libc_version</c>).
/// </summary>
internal static partial class FixedSteps
{
    private const int VocabSize = 512;
    private const int Length = 64;
    private const int BatchSize = 4;

    public static int Run(string count, string[] architectures)
    {
        var context = new ModelContext(CPU, ScalarType.Float32, ScalarType.Float32);      // loads LibTorch
        set_num_threads(1);
        var steps = architectures.Select(architecture => Create(architecture, context)).ToList();
        var batches = new RandomBatches(BatchSize, Length, VocabSize, seed: 1);
        foreach (var step in steps)
            Step(step, batches, 2);
        var (losses, number) = (new double[steps.Count], int.Parse(count, CultureInfo.InvariantCulture));
        Mark();
        for (var i = 0; i < steps.Count; i++)
        {
            losses[i] = Step(steps[i], batches, number);
            Mark();
        }

        for (var i = 0; i < steps.Count; i++)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{architectures[i]} {losses[i]:f4}"));
        steps.ForEach(step => step.Dispose());
        return 0;
    }

    private static ModelStep Create(string architecture, ModelContext context)
    {
        var configuration = new TrainingConfiguration();
        configuration.Model.Architecture = architecture;
        configuration.Model.HiddenSize = 64;
        configuration.Model.NumHiddenLayers = 2;
        configuration.Model.NumAttentionHeads = 2;
        configuration.Model.MaxPositionEmbeddings = Length;
        configuration.Training.Steps = 1;
        configuration.Training.BatchSize = BatchSize;
        return new ModelStep(
            TrainingPlan.Create(configuration, VocabSize), context, seed: 1);
    }

    private static double Step(ModelStep step, RandomBatches batches, int count)
    {
        var loss = 0.0;
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var (inputs, targets) = batches.Next();
            long[] shape = [BatchSize, Length];
            loss = step.ForwardBackward(tensor(inputs).view(shape), tensor(targets).view(shape));
            step.Update(learningRate: 1e-3);
        }

        return loss;
    }

    private static void Mark() => _ = LibraryVersion();

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint LibraryVersion();
}
