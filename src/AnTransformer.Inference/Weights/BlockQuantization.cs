using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Weights;

/// <summary>
/// Q8_0: of each 32 neighbouring numbers of a row the scale s = max|w| / 127 in half precision, and the whole numbers
/// nearest to w / s. The numbers are GGUF's; scales and whole numbers lie in two arrays here, so that both are read in
/// order.
/// </summary>
internal static unsafe class BlockQuantization
{
    /// <summary>Numbers of a block.</summary>
    public const int Block = 32;

    /// <summary>Quantizes numbers; their count must be whole blocks.</summary>
    /// <param name="source">The numbers.</param>
    /// <param name="quants">Receives as many.</param>
    /// <param name="scales">Receives one for each block.</param>
    /// <returns>False where a scale exceeds half precision.</returns>
    public static bool Quantize(ReadOnlySpan<float> source, sbyte* quants, Half* scales)
    {
        for (var start = 0; start < source.Length; start += Block, quants += Block)
        {
            var largest = 0f;
            for (var i = 0; i < Block; i++)
                largest = MathF.Max(largest, MathF.Abs(source[start + i]));
            var scale = largest / sbyte.MaxValue;
            var inverse = scale > 0 ? 1 / scale : 0;
            var half = (Half)scale;
            if (!Half.IsFinite(half))
                return false;
            *scales++ = half;
            for (var i = 0; i < Block; i++)
                quants[i] = (sbyte)MathF.Round(source[start + i] * inverse, MidpointRounding.AwayFromZero);
        }

        return true;
    }

    /// <summary>Scales as floats.</summary>
    /// <param name="scales">None is negative.</param>
    /// <param name="values">Receives them.</param>
    /// <param name="count">How many.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Widen(ushort* scales, float* values, int count)
    {
        // Exponent and mantissa in a float's places have the value times 2⁻¹¹²; .NET has no instruction for it.
        const float Shift = 5.192296858534828e33f;
        var i = 0;
        for (; Avx2.IsSupported && i + 8 <= count; i += 8)
        {
            var bits = Avx2.ConvertToVector256Int32(scales + i) << 13;
            (bits.AsSingle() * Vector256.Create(Shift)).Store(values + i);
        }

        for (; i < count; i++)
            values[i] = BitConverter.Int32BitsToSingle(scales[i] << 13) * Shift;
    }

    /// <summary>A part of a row in single precision.</summary>
    /// <param name="quants">Its whole numbers.</param>
    /// <param name="scales">Its scales.</param>
    /// <param name="values">Receives <paramref name="count"/> numbers.</param>
    /// <param name="count">Whole blocks.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dequantize<V>(sbyte* quants, ushort* scales, float* values, int count)
        where V : struct, ISimd<V>
    {
        float scale;
        for (var start = 0; start < count; start += Block)
        {
            Widen(scales++, &scale, 1);
            var factor = V.Broadcast(scale);
            for (var i = start; i < start + Block; i += V.Width)
                (Kernels.QuantizedVector.Load<V>(quants + i) * factor).Store(values + i);
        }
    }
}
