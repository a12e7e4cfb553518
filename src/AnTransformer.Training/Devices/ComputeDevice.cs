using AnTransformer.Configuration;
using AnTransformer.Native;
using AnTransformer.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Training.Devices;

/// <summary>Turns the names of devices and dtypes into what models need.</summary>
public static class ComputeDevice
{
    /// <summary>Device and precisions by name; master weights are always fp32.</summary>
    /// <param name="device"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="computeDtype"><c>fp32</c> or <c>bf16</c>.</param>
    /// <exception cref="InvalidInputException">An unknown name, or CUDA is not available.</exception>
    /// <exception cref="LibTorchLoadException">LibTorch cannot be loaded.</exception>
    public static ModelContext Context(string device, string computeDtype)
        => Context(device, EnumSpelling.Parse<ComputeDtype>(computeDtype, "compute dtype"));

    /// <summary>Device by name, and precisions; master weights are always fp32.</summary>
    /// <param name="device"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="computeDtype">Precision of matrix products and attention.</param>
    /// <exception cref="InvalidInputException">An unknown name, or CUDA is not available.</exception>
    /// <exception cref="LibTorchLoadException">LibTorch cannot be loaded.</exception>
    public static ModelContext Context(string device, ComputeDtype computeDtype)
    {
        LibTorch.EnsureLoaded();
        return new(
            Device(device), ScalarType.Float32, computeDtype == ComputeDtype.Bf16
                ? ScalarType.BFloat16
                : ScalarType.Float32);
    }

    private static Device Device(string name)
    {
        if (string.Equals(name, "cpu", StringComparison.Ordinal))
            return CPU;
        var index = 0;
        if (!string.Equals(name, "cuda", StringComparison.Ordinal)
            && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), out index)
                && index >= 0))
        {
            throw new InvalidInputException(
                $"device '{Printable.Excerpt(name)}' is unknown; it must be cpu, cuda or cuda:N.");
        }

        if (!TryInitializeCuda())
        {
            throw new InvalidInputException(
                $"device '{Printable.Excerpt(name)}' is not available: this LibTorch has no CUDA or finds no GPU; "
                    + "point ANTRANSFORMER_LIBTORCH at the "
                + "lib folder of a PyTorch with CUDA, or use --device cpu.");
        }

        if (index >= cuda.device_count())
            throw new InvalidInputException(
                $"device '{Printable.Excerpt(name)}' does not exist: this machine has {cuda.device_count()} CUDA "
                    + "device(s), numbered from 0.");
        return torch.device(DeviceType.CUDA, index);
    }

    private static bool TryInitializeCuda()
    {
        try
        {
            return torch.TryInitializeDeviceType(DeviceType.CUDA) && cuda.is_available();
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException)
        {
            return false;
        }
    }
}
