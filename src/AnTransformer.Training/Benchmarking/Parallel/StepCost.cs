using System.Diagnostics;
using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>What a step of one rank costs, and what of it the others must be told.</summary>
/// <param name="FixedSeconds">Forward and backward pass, whatever the number of sequences.</param>
/// <param name="SequenceSeconds">The same for each sequence.</param>
/// <param name="UpdateSeconds">Gradient norm, update and constraint of all weights.</param>
/// <param name="Parts">
/// Numbers of gradient that are complete together, in the order of the backward pass; the last when it has ended.
/// </param>
public sealed record StepCost(
    double FixedSeconds, double SequenceSeconds, double UpdateSeconds, IReadOnlyList<long> Parts)
{
    private const int Rounds = 5;

    /// <summary>Measures it on this machine: steps of a small and of a whole batch, in turn.</summary>
    /// <param name="plan">Model and optimizer.</param>
    /// <param name="batchSize">Sequences of a micro-batch, at least 1.</param>
    /// <param name="context">Where to compute.</param>
    public static StepCost Measure(TrainingPlan plan, int batchSize, ModelContext context)
    {
        var few = Math.Max(1, batchSize / 4);
        using var step = new ModelStep(plan, context, seed: 1);
        var (small, large, updates) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = -1; round < Rounds; round++)
        {
            var times = new[] { few, batchSize }.Select(sequences => Time(step, sequences, plan)).ToList();
            if (round < 0)
                continue;
            small.Add(times[0].Pass);
            large.Add(times[1].Pass);
            updates.Add(times[1].Update);
        }

        var (low, high) = (Spread.Of(small).Median, Spread.Of(large).Median);
        var each = batchSize == few ? high / batchSize : Math.Max(0, (high - low) / (batchSize - few));
        return new StepCost(
            Math.Max(0, high - (each * batchSize)), each, Spread.Of(updates).Median, PartsOf(step.Model));
    }

    /// <summary>The same from a step time that is known.</summary>
    /// <param name="plan">Model and optimizer.</param>
    /// <param name="batchSize">Sequences of the step.</param>
    /// <param name="seconds">Its time.</param>
    public static StepCost Of(TrainingPlan plan, int batchSize, double seconds)
    {
        using var model = LanguageModel.Create(plan.Model, ModelContext.Default);
        return new StepCost(0, seconds / batchSize, 0, PartsOf(model));
    }

    private static List<long> PartsOf(LanguageModel model)
    {
        var announced = AnnouncedSegments.Of(model).Reverse().Select(segment => segment?.Count ?? 0).ToList();
        return [.. announced, model.Store.Count - announced.Sum()];
    }

    private static (double Pass, double Update) Time(ModelStep step, int sequences, TrainingPlan plan)
    {
        using var scope = NewDisposeScope();
        var (inputs, targets) = new RandomBatches(
            sequences, plan.Model.MaxPositionEmbeddings, plan.Model.VocabSize, seed: 1).Next();
        long[] shape = [sequences, plan.Model.MaxPositionEmbeddings];
        var (tokens, next) = (tensor(inputs).view(shape), tensor(targets).view(shape));
        var watch = Stopwatch.StartNew();
        step.ForwardBackward(tokens, next);
        var pass = watch.Elapsed.TotalSeconds;
        step.Update(1e-5);
        return (pass, watch.Elapsed.TotalSeconds - pass);
    }
}
