using System.Numerics;

namespace AnTransformer.Training.Benchmarking;

/// <summary>What lies between ranks, as the α-β model has it: a message of n bytes takes α + n/β.</summary>
/// <param name="BytesPerSecond">β of a host's network link, in each direction.</param>
/// <param name="Latency">α between hosts, in seconds.</param>
/// <param name="RanksPerHost">Ranks that share a host and its link.</param>
/// <param name="LocalBytesPerSecond">β within a host, through memory.</param>
public sealed record Link(
    double BytesPerSecond, double Latency, int RanksPerHost = 1, double LocalBytesPerSecond = 4e9)
{
    private const double LocalLatency = 5e-6;       // of a message within a host
    private const double PerMessage = 5e-6;         // to begin one more of several at a time
    private const double BytesPerExchange = 16 << 20;

    /// <summary>Seconds of a sum over all ranks, which all have afterwards.</summary>
    /// <param name="bytes">Of each rank's numbers.</param>
    /// <param name="ranks">How many ranks there are.</param>
    /// <param name="reduction">How it is made.</param>
    public double AllReduce(double bytes, int ranks, Reduction reduction) => ranks == 1 ? 0 : reduction switch
    {
        Reduction.Direct => 2 * Exchange(bytes, ranks),
        Reduction.Ring => 2 * (((ranks - 1) * LatencyOf(ranks)) + ((ranks - 1.0) / ranks * bytes / Slowest(ranks))),
        Reduction.Tree => 2 * BitOperations.Log2((uint)(ranks - 1) * 2) * (LatencyOf(ranks) + (bytes / Slowest(ranks))),
        _ => throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "No such reduction."),
    };

    /// <summary>Seconds of the half of it: each rank gets the sum of its part, or all get each rank's part.</summary>
    /// <param name="bytes">Of the whole buffer.</param>
    /// <param name="ranks">How many ranks there are.</param>
    /// <param name="reduction">How it is made.</param>
    public double ReduceScatter(double bytes, int ranks, Reduction reduction)
        => AllReduce(bytes, ranks, reduction) / 2;

    private double LatencyOf(int ranks) => ranks > RanksPerHost ? Latency : LocalLatency;

    private double Slowest(int ranks) => ranks > RanksPerHost ? BytesPerSecond : LocalBytesPerSecond;

    /// <summary>Each rank sends every other one its 1/ranks of the buffer; ranks of a host share its link.</summary>
    private double Exchange(double bytes, int ranks)
    {
        var onHost = Math.Min(ranks, RanksPerHost);
        var remote = (double)onHost * (ranks - onHost) / ranks * bytes / BytesPerSecond;
        var local = (double)onHost * (onHost - 1) / ranks * bytes / LocalBytesPerSecond;
        var exchanges = Math.Ceiling(bytes / BytesPerExchange);
        return remote + local + (exchanges * (LatencyOf(ranks) + ((ranks - 1) * PerMessage)));
    }
}
