using System.Buffers.Binary;

namespace AnTransformer.Export.Safetensors;

/// <summary>
/// Doubles as little-endian elements of another floating-point type, each rounded once, to the nearest.
/// </summary>
internal static class ElementWriter
{
    /// <summary>Converts numbers.</summary>
    /// <param name="dtype">A floating-point type.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="destination">Room for as many elements.</param>
    /// <param name="name">What errors name: the tensor.</param>
    /// <exception cref="InvalidInputException">A number is too large for the type.</exception>
    public static void Convert(ExportDtype dtype, ReadOnlySpan<double> values, Span<byte> destination, string name)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            var finite = dtype switch
            {
                ExportDtype.F64 => Put(value, destination[(8 * i)..]),
                ExportDtype.F32 => Put((float)value, destination[(4 * i)..]),
                ExportDtype.F16 => Put((Half)value, destination[(2 * i)..]),
                ExportDtype.BF16 => PutBFloat16(value, destination[(2 * i)..]),
                _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not a floating-point type."),
            };
            if (!finite)
                throw TooLarge(dtype, value, name);
        }
    }

    /// <summary>The sentence about a number that a type cannot hold.</summary>
    public static InvalidInputException TooLarge(ExportDtype dtype, double value, string name)
        => new(FormattableString.Invariant(
            $"tensor '{name}' holds {value:g4}, more than {dtype.Name()} can ({dtype.Largest():g4}); ")
            + "export with a wider --dtype.");

    /// <summary>
    /// The bits of the nearest bfloat16, ties to even; of a double, so that nothing is rounded twice.
    /// </summary>
    public static ushort ToBFloat16(double value)
    {
        // The nearest float, made odd where it is inexact, keeps all that rounding to 8 bits needs (rounding to odd).
        var single = (float)value;
        var bits = BitConverter.SingleToUInt32Bits(single);
        if (float.IsFinite(single) && single != value)
        {
            if (Math.Abs((double)single) > Math.Abs(value))
                bits--;
            bits |= 1;
        }

        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static bool Put(double value, Span<byte> destination)
    {
        BinaryPrimitives.WriteDoubleLittleEndian(destination, value);
        return double.IsFinite(value);
    }

    private static bool Put(float value, Span<byte> destination)
    {
        BinaryPrimitives.WriteSingleLittleEndian(destination, value);
        return float.IsFinite(value);
    }

    private static bool Put(Half value, Span<byte> destination)
    {
        BinaryPrimitives.WriteHalfLittleEndian(destination, value);
        return Half.IsFinite(value);
    }

    private static bool PutBFloat16(double value, Span<byte> destination)
    {
        var bits = ToBFloat16(value);
        BinaryPrimitives.WriteUInt16LittleEndian(destination, bits);
        return (bits & 0x7F80) != 0x7F80;
    }
}
