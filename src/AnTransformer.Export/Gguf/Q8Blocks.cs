using System.Buffers.Binary;
using AnTransformer.Export.Safetensors;

namespace AnTransformer.Export.Gguf;

/// <summary>llama.cpp's Q8_0: 32 numbers as signed bytes with one half-precision scale, x ≈ scale · q.</summary>
internal static class Q8Blocks
{
    /// <summary>Numbers in a block.</summary>
    public const int Length = 32;

    /// <summary>Bytes of a block.</summary>
    public const int Bytes = 2 + Length;

    /// <summary>Quantizes a row.</summary>
    /// <param name="values">Numbers, whole blocks of them.</param>
    /// <param name="destination">Room for the blocks.</param>
    /// <param name="name">What errors name: the tensor.</param>
    /// <exception cref="InvalidInputException">A scale is too large for half precision.</exception>
    public static void Convert(ReadOnlySpan<double> values, Span<byte> destination, string name)
    {
        for (var block = 0; block < values.Length / Length; block++)
        {
            var numbers = values.Slice(block * Length, Length);
            var bytes = destination.Slice(block * Bytes, Bytes);
            var largest = 0.0;
            foreach (var value in numbers)
                largest = Math.Max(largest, Math.Abs(value));
            var scale = (Half)(largest / sbyte.MaxValue);
            if (!Half.IsFinite(scale))
                throw ElementWriter.TooLarge(ExportDtype.Q8, largest, name);
            BinaryPrimitives.WriteHalfLittleEndian(bytes, scale);
            // By the scale that is stored, so that its own rounding is not added to that of the numbers.
            var inverse = scale == Half.Zero ? 0 : 1 / (double)scale;
            for (var i = 0; i < Length; i++)
                bytes[2 + i] = (byte)(sbyte)Math.Clamp(
                    Math.Round(numbers[i] * inverse, MidpointRounding.AwayFromZero), -127, 127);
        }
    }
}
