using System.Globalization;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Training.Devices;

/// <summary>What this machine computes with on the CPU, and how fast: <c>angpt info --machine</c>.</summary>
/// <param name="Processor">The processor's name.</param>
/// <param name="Processors">Logical processors that this process may use.</param>
/// <param name="Threads">Threads that kernels run on.</param>
/// <param name="Caches">Caches of a core, such as <c>L1d 32 KiB</c>; empty where the system does not say.</param>
/// <param name="Implementation">Instructions, vectors, libraries.</param>
/// <param name="PeakFlops">Multiply-adds on registers alone, FLOP/s of all threads.</param>
/// <param name="Products">Matrix products of each class: both rates in GFLOP/s, and whose runs.</param>
/// <param name="ChosenBy">Who chose: <c>measured</c>, <c>not measured</c> or the environment variable.</param>
/// <param name="Record">The file that holds the measurement; null where there is none.</param>
public sealed record MachineDescription(
    string Processor, int Processors, int Threads, IReadOnlyList<string> Caches, CpuImplementation Implementation,
    double PeakFlops, IReadOnlyList<MatrixProductRate> Products, string ChosenBy, string? Record)
{
    /// <summary>Describes this machine; measures its peak, and products where that was not done before.</summary>
    /// <exception cref="InvalidInputException">ANTRANSFORMER_GEMM has an unknown value.</exception>
    public static MachineDescription Measure()
    {
        var implementation = CpuImplementation.Current;
        var record = ProductRecord.FindOrMeasure();
        var rates = record?.Rates ?? ProductMeasurement.Run();
        var choice = Gemm.Choice;
        return new MachineDescription(
            Machine.ProcessorName, Environment.ProcessorCount, get_num_threads(), Machine.Caches, implementation,
            MultiplierPeak.Measure(),
            [.. rates.Select((rate, i) => new MatrixProductRate(
                ProductChoice.ClassNames[i], rate.Own, rate.Blas, choice.IsOwn(i) ? "own" : Gemm.BlasName))],
            !Gemm.IsMeasured ? string.Create(
                CultureInfo.InvariantCulture,
                $"{Gemm.EnvironmentVariable}={Environment.GetEnvironmentVariable(Gemm.EnvironmentVariable)}")
                : record is null ? "not measured: no cache folder can be written" : "measured",
            record is null ? null : ProductRecord.PathOf(ProductRecord.ProcessorName()));
    }
}

/// <summary>Rates of a class of matrix products.</summary>
/// <param name="Name">The class: size, and what is transposed; <c>attention</c> for a head forward and back.</param>
/// <param name="OwnGflops">Our own, GFLOP/s.</param>
/// <param name="BlasGflops">LibTorch's BLAS, GFLOP/s.</param>
/// <param name="Chosen">Whose runs.</param>
public sealed record MatrixProductRate(string Name, double OwnGflops, double BlasGflops, string Chosen);
