using System.Globalization;
using System.Runtime.InteropServices;
using AnTransformer.Native;
using AnTransformer.Training.Benchmarking;
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
    private static readonly BenchmarkModel Model = new(Width: 64, Layers: 2, Heads: 2, Length: 64, BatchSize: 4, VocabSize: 512);

    public static int Run(string count, string[] architectures)
    {
        LibTorch.EnsureLoaded();
        set_num_threads(1);
        var steps = architectures.Select(Model.Create).ToList();
        var batches = Model.Batches();
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

    private static double Step(ModelStep step, RandomBatches batches, int count)
    {
        var loss = 0.0;
        for (var i = 0; i < count; i++)
        {
            using var scope = NewDisposeScope();
            var (inputs, targets) = batches.Next();
            long[] shape = [batches.BatchSize, batches.Length];
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
