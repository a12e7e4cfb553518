using System.Diagnostics;
using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>
/// The machine's copy bandwidth: the ceiling of an optimizer step, which reads and writes long arrays once.
/// </summary>
public static class CopyRate
{
    private const int Repetitions = 5;
    private const long CpuElements = 1L << 24;      // 64 MiB of fp32, beyond caches
    private const long CudaElements = 1L << 28;

    /// <summary>Measures the median rate of copying one fp32 tensor to another.</summary>
    /// <param name="device">CPU or CUDA.</param>
    /// <returns>Bytes read and written per second: twice the bytes copied.</returns>
    public static double Measure(Device device)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var onCuda = device.type == TorchSharp.DeviceType.CUDA;
        var elements = onCuda ? CudaElements : CpuElements;
        var source = ones([elements], dtype: ScalarType.Float32, device: device);
        var target = zeros_like(source);
        var seconds = new List<double>();
        for (var i = 0; i <= Repetitions; i++)
        {
            var clock = Stopwatch.StartNew();
            target.copy_(source);
            if (onCuda)
                cuda.synchronize(device);
            if (i > 0)      // the first run warms up
                seconds.Add(clock.Elapsed.TotalSeconds);
        }

        return 2.0 * sizeof(float) * elements / Spread.Of(seconds).Median;
    }
}
