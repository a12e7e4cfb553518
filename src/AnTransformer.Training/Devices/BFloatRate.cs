using System.Diagnostics;
using static TorchSharp.torch;

namespace AnTransformer.Training.Devices;

/// <summary>
/// How fast this processor multiplies matrices in fp32 and in bf16 (with sums in fp32): bf16 is the faster one with
/// AMX, and with AVX512_BF16 or without either not always, so that it is measured.
/// </summary>
/// <param name="Fp32">Floating-point operations per second.</param>
/// <param name="Bf16">The same in bf16.</param>
public sealed record BFloatRate(double Fp32, double Bf16)
{
    // Converting to and fro, and what is not fused in bf16, wants its share.
    private const double MustGain = 1.2;
    private const int Rounds = 5;
    private const int Tokens = 2048;
    private const int Width = 512;

    /// <summary>Whether bf16 pays.</summary>
    public bool IsFaster => Bf16 > MustGain * Fp32;

    /// <summary>Measures; set by tests, which have no processors to choose from.</summary>
    internal static Func<BFloatRate> OfThisMachine { get; set; } = Measure;

    /// <summary>Measures both in turns on a product like a training step's, LibTorch's; a tenth of a second.</summary>
    public static BFloatRate Measure()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var seconds = new[] { double.MaxValue, double.MaxValue };
        var pairs = new[] { ScalarType.Float32, ScalarType.BFloat16 }
            .Select(dtype => (A: ones([Tokens, Width], dtype: dtype), B: ones([Width, Width], dtype: dtype))).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < pairs.Length; i++)
            {
                var start = Stopwatch.GetTimestamp();
                pairs[i].A.mm(pairs[i].B.t()).Dispose();
                seconds[i] = Math.Min(seconds[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }

        const double operations = 2.0 * Tokens * Width * Width;
        return new BFloatRate(operations / seconds[0], operations / seconds[1]);
    }
}
