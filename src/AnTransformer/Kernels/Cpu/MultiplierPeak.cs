using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// What the processor's multipliers do at most: independent multiply-adds on registers and nothing else.
/// </summary>
internal static class MultiplierPeak
{
    private const int Steps = 2_000_000;
    private const int Rounds = 5;
    private const int Sums = 12;        // twice what a multiply-add of four cycles on two units needs, and half again

    /// <summary>Measures on all threads.</summary>
    /// <returns>Floating-point operations per second, best of some rounds.</returns>
    public static double Measure()
        => Vector512.IsHardwareAccelerated ? Measure<Simd512>()
            : Vector256.IsHardwareAccelerated ? Measure<Simd256>()
            : Measure<Simd128>();

    private static double Measure<V>()
        where V : struct, ISimd<V>
    {
        var threads = CpuTeam.Threads;
        var best = double.MaxValue;
        var sink = new float[threads];
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            CpuTeam.Run(threads, thread => sink[thread] = Work<V>());
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * Sums * V.Width * Steps * threads / best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Work<V>()
        where V : struct, ISimd<V>
    {
        V a = default, b = default, c = default, d = default, e = default, f = default;
        V g = default, h = default, i = default, j = default, k = default, l = default;
        V x = V.Broadcast(0.999f), y = V.Broadcast(0.5f);
        for (var step = 0; step < Steps; step++)
        {
            a = V.MultiplyAdd(a, x, y);
            b = V.MultiplyAdd(b, x, y);
            c = V.MultiplyAdd(c, x, y);
            d = V.MultiplyAdd(d, x, y);
            e = V.MultiplyAdd(e, x, y);
            f = V.MultiplyAdd(f, x, y);
            g = V.MultiplyAdd(g, x, y);
            h = V.MultiplyAdd(h, x, y);
            i = V.MultiplyAdd(i, x, y);
            j = V.MultiplyAdd(j, x, y);
            k = V.MultiplyAdd(k, x, y);
            l = V.MultiplyAdd(l, x, y);
        }

        return (((a + b) + (c + d)) + ((e + f) + (g + h)) + ((i + j) + (k + l))).Sum();
    }
}
