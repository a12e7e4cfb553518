using System.Diagnostics;
using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Operators;
using AnTransformer.Training.Devices;
using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>One of the implementations that are timed against each other.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Model">Its configuration.</param>
/// <param name="IsProfiled">Whether its code measures its phases with <see cref="PhaseClock"/>.</param>
/// <param name="Step">The implementation; not owned.</param>
public sealed record Contestant(string Name, ModelConfig Model, bool IsProfiled, ITrainingStep Step);

/// <summary>
/// Times training steps of several implementations in one process, one step each per round:
/// what disturbs the machine for a while disturbs all of them. The order rotates, and every second round is the one
/// before it backwards, so that of two implementations each is first equally often. The ceilings that they are compared
/// with are measured in every round, too.
/// </summary>
public sealed class StepBenchmark
{
    private const double LearningRate = 1e-4;
    private readonly IReadOnlyList<Contestant> _contestants;
    private readonly RandomBatches _batches;
    private readonly ModelContext _context;

    /// <summary>Prepares a benchmark.</summary>
    /// <param name="contestants">What to time.</param>
    /// <param name="batches">The tokens to train on.</param>
    /// <param name="context">Device and dtypes of the contestants.</param>
    public StepBenchmark(IReadOnlyList<Contestant> contestants, RandomBatches batches, ModelContext context)
        => (_contestants, _batches, _context) = (contestants, batches, context);

    /// <summary>Runs.</summary>
    /// <param name="warmupRounds">Rounds that are not counted.</param>
    /// <param name="rounds">Rounds that are, at least one.</param>
    /// <param name="onRound">Told after each round how many there have been, warm-up included.</param>
    /// <param name="stop">Ends the run after the step under way.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public StepBenchmarkResult Run(int warmupRounds, int rounds, Action<int> onRound, CancellationToken stop)
    {
        var timings = _contestants.Select(contestant => new StepTimings(contestant)).ToArray();
        var (matmulRates, copyRates) = (new List<double>(), new List<double>());
        for (var round = -warmupRounds; round < rounds; round++)
        {
            var (inputs, targets) = _batches.Next();
            for (var turn = 0; turn < timings.Length; turn++)
            {
                stop.ThrowIfCancellationRequested();
                var place = Place(round + warmupRounds, turn, timings.Length);
                var timing = timings[place];
                var (total, update) = Step(timing.Contestant, inputs, targets);
                if (round >= 0)
                    timing.Add(total, update);
            }

            if (round >= 0)
            {
                matmulRates.Add(MatmulRate.Measure(_context));
                copyRates.Add(CopyRate.Measure(_context.Device));
            }

            onRound(round + warmupRounds + 1);
        }

        return new StepBenchmarkResult(timings, Spread.Of(matmulRates).Median, Spread.Of(copyRates).Median);
    }

    /// <summary>Whose turn it is.</summary>
    internal static int Place(int round, int turn, int count)
        => ((round / 2) + (round % 2 == 0 ? turn : count - 1 - turn)) % count;

    private (double Total, double Update) Step(Contestant contestant, long[] inputs, long[] targets)
    {
        using var scope = NewDisposeScope();
        PhaseClock.Reset();
        PhaseClock.Enabled = contestant.IsProfiled;
        try
        {
            var start = Stopwatch.GetTimestamp();
            var (tokens, following) = ToTensors(inputs, targets);
            contestant.Step.ForwardBackward(tokens, following);
            Synchronize();
            var middle = Stopwatch.GetTimestamp();
            contestant.Step.Update(LearningRate);
            Synchronize();
            return (Stopwatch.GetElapsedTime(start).TotalSeconds, Stopwatch.GetElapsedTime(middle).TotalSeconds);
        }
        finally
        {
            PhaseClock.Enabled = false;
        }
    }

    private (Tensor Tokens, Tensor Targets) ToTensors(long[] inputs, long[] targets)
    {
        using var measurement = PhaseClock.Measure(Phase.Data);
        long[] shape = [_batches.BatchSize, _batches.Length];
        return (tensor(inputs, device: _context.Device).view(shape),
            tensor(targets, device: _context.Device).view(shape));
    }

    private void Synchronize()
    {
        if (_context.Device.type == TorchSharp.DeviceType.CUDA)
            cuda.synchronize(_context.Device);
    }
}
