using System.Numerics;
using System.Runtime.CompilerServices;

namespace AnTransformer.Checkpoints;

/// <summary>
/// Conversion of a tensor's little-endian elements. The source may lie at any address: the format aligns nothing.
/// </summary>
internal static unsafe class ElementConversion
{
    /// <summary>Converts a floating-point type to single precision.</summary>
    public static void ToSingle(SafetensorsDtype dtype, byte* source, Span<float> destination)
    {
        switch (dtype)
        {
            case SafetensorsDtype.F32:
                Copy(source, destination);
                break;
            case SafetensorsDtype.BF16:
                FromBFloat16((ushort*)source, destination);
                break;
            case SafetensorsDtype.F16:
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = (float)Unsafe.ReadUnaligned<Half>(source + (2L * i));
                break;
            default:
                for (var i = 0; i < destination.Length; i++)
                    destination[i] = (float)Unsafe.ReadUnaligned<double>(source + (8L * i));
                break;
        }
    }

    /// <summary>Converts a floating-point type to double precision.</summary>
    public static void ToDouble(SafetensorsDtype dtype, byte* source, Span<double> destination)
    {
        if (dtype == SafetensorsDtype.F64)
        {
            Copy(source, destination);
            return;
        }

        var size = SafetensorsEntry.SizeOf(dtype);
        Span<float> block = stackalloc float[1024];
        for (var i = 0; i < destination.Length; i += block.Length)
        {
            var part = block[..Math.Min(block.Length, destination.Length - i)];
            ToSingle(dtype, source + ((long)i * size), part);
            for (var j = 0; j < part.Length; j++)
                destination[i + j] = part[j];
        }
    }

    /// <summary>Converts an integer type to 64 bits.</summary>
    public static void ToInt64(SafetensorsDtype dtype, byte* source, Span<long> destination)
    {
        if (dtype == SafetensorsDtype.I64)
        {
            Copy(source, destination);
            return;
        }

        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = dtype switch
            {
                SafetensorsDtype.I32 => Unsafe.ReadUnaligned<int>(source + (4L * i)),
                SafetensorsDtype.I16 => Unsafe.ReadUnaligned<short>(source + (2L * i)),
                SafetensorsDtype.I8 => (sbyte)source[i],
                _ => source[i],
            };
        }
    }

    private static void FromBFloat16(ushort* source, Span<float> destination)
    {
        var i = 0;
        for (; i <= destination.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Unsafe.ReadUnaligned<Vector<ushort>>(source + i), out var low, out var high);
            Vector.AsVectorSingle(Vector.ShiftLeft(low, 16)).CopyTo(destination[i..]);
            Vector.AsVectorSingle(Vector.ShiftLeft(high, 16)).CopyTo(destination[(i + Vector<float>.Count)..]);
        }

        for (; i < destination.Length; i++)
            destination[i] = BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source + i) << 16);
    }

    private static void Copy<T>(byte* source, Span<T> destination)
        where T : unmanaged
    {
        fixed (T* target = destination)
            Buffer.MemoryCopy(
                source, target, (long)destination.Length * sizeof(T), (long)destination.Length * sizeof(T));
    }
}
