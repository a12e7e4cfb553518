using AnTransformer.Architectures;
using AnTransformer.Kernels;

namespace AnTransformer.Training.Benchmarking;

/// <summary>What the rounds gave for one contestant.</summary>
public sealed class StepTimings
{
    private static readonly Phase[] Phases = Enum.GetValues<Phase>();
    private readonly List<double> _seconds = [];
    private readonly List<double> _updateSeconds = [];
    private readonly double[] _phaseSeconds = new double[Phases.Length];

    /// <summary>Starts without measurements.</summary>
    /// <param name="contestant">Who is timed.</param>
    public StepTimings(Contestant contestant) => Contestant = contestant;

    /// <summary>Who was timed.</summary>
    public Contestant Contestant { get; }

    /// <summary>Seconds of the whole step, by round.</summary>
    public IReadOnlyList<double> Seconds => _seconds;

    /// <summary>
    /// Seconds of the step's second half (clipping, update, constraint, emptying of gradients), by round.
    /// </summary>
    public IReadOnlyList<double> UpdateSeconds => _updateSeconds;

    /// <summary>
    /// Share of all steps' time by phase, and last, as null, what no phase covers; null for a contestant that measures
    /// none.
    /// </summary>
    public IReadOnlyList<(Phase? Phase, double Share)>? PhaseShares
    {
        get
        {
            if (!Contestant.IsProfiled)
                return null;
            var total = _seconds.Sum();
            return
            [
                .. Phases.Select(phase => ((Phase?)phase, _phaseSeconds[(int)phase] / total)),
                (null, 1 - (_phaseSeconds.Sum() / total)),
            ];
        }
    }

    /// <summary>
    /// Seconds that one read and one write of the optimizer's four fp32 arrays (parameters, gradients, two moments)
    /// take at a bandwidth: what an update cannot beat.
    /// </summary>
    /// <param name="copyRate">Bytes read and written per second.</param>
    public double UpdateBound(double copyRate)
        => ModelCost.Parameters(Contestant.Model) * 4.0 * sizeof(float) * 2 / copyRate;

    /// <summary>Takes a step's times, and its phases from <see cref="PhaseClock"/>.</summary>
    /// <param name="seconds">The whole step.</param>
    /// <param name="updateSeconds">Its second half.</param>
    internal void Add(double seconds, double updateSeconds)
    {
        _seconds.Add(seconds);
        _updateSeconds.Add(updateSeconds);
        foreach (var phase in Phases)
            _phaseSeconds[(int)phase] += PhaseClock.Seconds(phase);
    }
}

/// <summary>What a benchmark found.</summary>
/// <param name="Timings">By contestant.</param>
/// <param name="MatmulRate">Matrix-product rate in floating-point operations per second, the rounds' median.</param>
/// <param name="CopyRate">Copy bandwidth in bytes read and written per second, the rounds' median.</param>
public sealed record StepBenchmarkResult(IReadOnlyList<StepTimings> Timings, double MatmulRate, double CopyRate);
