using System.Diagnostics;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Training.Devices;

/// <summary>The machine's matrix-product rate: the ceiling that a training step is compared with.</summary>
public static class MatmulRate
{
    private const int Repetitions = 7;

    /// <summary>Measures the median rate of a 1024×1024×1024 (CPU) or 8192×8192×8192 (CUDA) product.</summary>
    /// <param name="context">Device and compute dtype.</param>
    /// <returns>Floating-point operations per second.</returns>
    public static double Measure(ModelContext context)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var onCuda = context.Device.type == TorchSharp.DeviceType.CUDA;
        var n = onCuda ? 8192 : 1024;
        var a = ones([n, n], dtype: context.ComputeDtype, device: context.Device);
        var seconds = new List<double>();
        for (var i = 0; i <= Repetitions; i++)
        {
            var clock = Stopwatch.StartNew();
            a.mm(a).Dispose();
            if (onCuda)
                cuda.synchronize(context.Device);
            if (i > 0)      // the first run warms up
                seconds.Add(clock.Elapsed.TotalSeconds);
        }

        seconds.Sort();
        return 2.0 * n * n * n / seconds[Repetitions / 2];
    }
}
