using System.Diagnostics.CodeAnalysis;
using AnTransformer.Architectures;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Training.Runs;

/// <summary>
/// Beside what a run does before its first step: loads LibTorch and takes a step of a tiny model like the run's, so
/// that the runtime has compiled what the first step needs. Once in a process, and not where it would measure whose
/// matrix products are to run, which wants the machine for itself. Nothing of it shows in the run: a model's random
/// numbers come from a generator of its own.
/// </summary>
internal sealed class WarmUp : IDisposable
{
    private const int VocabSize = 64;
    private const int Length = 32;
    private const int BatchSize = 2;
    private static int s_started;
    private readonly Thread? _thread;

    private WarmUp(Thread? thread) => _thread = thread;

    /// <summary>Begins, on a CPU.</summary>
    /// <param name="configuration">The run's configuration, which is not changed.</param>
    public static WarmUp Start(TrainingConfiguration configuration)
    {
        if (configuration.Training.Device != "cpu" || Interlocked.Exchange(ref s_started, 1) != 0)
            return new WarmUp(null);
        // A thread that ends takes the threads with it that have computed for it.
        var thread = new Thread(() => TryStep(Tiny(configuration))) { IsBackground = true, Name = "warm-up" };
        thread.Start();
        return new WarmUp(thread);
    }

    /// <summary>Waits for its end; what it needs is not to be unloaded under it when the process ends.</summary>
    public void Dispose() => _thread?.Join();

    private static TrainingConfiguration Tiny(TrainingConfiguration configuration)
    {
        var tiny = ConfigurationBinder.Copy(configuration);
        var model = tiny.Model;
        (model.HiddenSize, model.NumHiddenLayers, model.NumAttentionHeads) = (Length, 1, 1);
        (model.NumKeyValueHeads, model.HeadDim, model.IntermediateSize, model.SlidingWindow) = (null, null, null, null);
        model.MaxPositionEmbeddings = Length;
        tiny.Training.Objective = TrainingObjective.Causal;
        (tiny.Training.BatchSize, tiny.Training.GradientAccumulation) = (BatchSize, 1);
        return tiny;
    }

    [SuppressMessage("Design", "CA1031", Justification = "What is wrong is said by the run itself, in its words.")]
    private static void TryStep(TrainingConfiguration configuration)
    {
        try
        {
            if (!Gemm.IsDecided)
                return;
            using var scope = NewDisposeScope();
            if (configuration.Training.Threads > 0)
                set_num_threads(configuration.Training.Threads);
            var plan = TrainingPlan.Create(configuration, VocabSize);
            using var model = LanguageModel.Create(plan.Model, TrainingPlan.CreateContext(configuration.Training));
            model.Initialize(seed: 1);
            using var optimizer = new Optimizer(model, plan.Optimizer);
            var step = new TrainingStep(model, optimizer);
            var tokens = zeros([BatchSize, Length], dtype: ScalarType.Int64);
            step.ForwardBackward(tokens, tokens);
            step.Update(learningRate: 1e-3);
        }
        catch (Exception)
        {
            // See above.
        }
    }
}
