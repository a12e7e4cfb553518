using AnTransformer.Inference;
using AnTransformer.Training.Devices;
using static System.FormattableString;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt info --machine</c>: what this machine computes with, and how fast.</summary>
internal static class MachineFacts
{
    private const int Rounds = 5;

    /// <summary>Measures.</summary>
    public static List<(string Name, object? Value)> Of()
    {
        var machine = MachineDescription.Measure();
        using var memory = new ReadBandwidth();
        var bandwidth = Enumerable.Range(0, Rounds).Select(_ => memory.Measure()).Max();
        List<(string Name, object? Value)> facts =
        [
            ("processor", machine.Processor),
            ("processors", machine.Processors),
            ("threads", machine.Threads),
            ("caches", machine.Caches.Count > 0 ? string.Join(", ", machine.Caches) : "unknown"),
            ("instructions", machine.Implementation.InstructionSet),
            ("vector bits", machine.Implementation.VectorBits),
            ("libtorch", $"{machine.Implementation.LibTorch}, {machine.Implementation.LibTorchInstructionSet}"),
            ("multiplier peak gflops", Math.Round(machine.PeakFlops / 1e9, 1)),
            ("memory read gb per s", Math.Round(bandwidth / 1e9, 1)),
            ("matrix products", machine.Implementation.MatrixProducts),
            ("chosen by", machine.ChosenBy),
        ];
        facts.Add(("products", machine.Products));
        facts.Add(("compute dtype bf16", BFloatRate.Measure()));
        facts.Add(("record", machine.Record));
        return facts;
    }

    /// <summary>A fact that is several in a table; null for any other.</summary>
    /// <param name="value">A fact's value.</param>
    public static IEnumerable<(string Name, string Value)>? Lines(object? value) => value switch
    {
        IReadOnlyList<MatrixProductRate> products => products.Select(product => (
            product.Name,
            Invariant($"{product.Chosen} (own {product.OwnGflops:f0}, blas {product.BlasGflops:f0} GFLOP/s)"))),
        BFloatRate rate =>
        [
            ("compute dtype bf16",
                Invariant($"{(rate.IsFaster ? "pays" : "does not pay")} (fp32 {rate.Fp32 / 1e9:f0}, ")
                    + Invariant($"bf16 {rate.Bf16 / 1e9:f0} GFLOP/s)")),
        ],
        _ => null,
    };
}
