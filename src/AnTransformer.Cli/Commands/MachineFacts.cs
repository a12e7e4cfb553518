using System.Globalization;
using AnTransformer.Inference;
using AnTransformer.Training.Devices;

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
        foreach (var product in machine.Products)
        {
            facts.Add((product.Name, string.Create(
                CultureInfo.InvariantCulture,
                $"{product.Chosen} (own {product.OwnGflops:f0}, blas {product.BlasGflops:f0} GFLOP/s)")));
        }

        var bfloat = BFloatRate.Measure();
        facts.Add(("compute dtype bf16", string.Create(
            CultureInfo.InvariantCulture,
            $"{(bfloat.IsFaster ? "pays" : "does not pay")} (fp32 {bfloat.Fp32 / 1e9:f0}, bf16 {bfloat.Bf16 / 1e9:f0} GFLOP/s)")));
        facts.Add(("record", machine.Record));
        return facts;
    }
}
