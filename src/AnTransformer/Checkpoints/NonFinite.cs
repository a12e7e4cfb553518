using System.Numerics;
using System.Runtime.CompilerServices;

namespace AnTransformer.Checkpoints;

/// <summary>
/// Finds NaN and infinity, whose exponents alone have all bits set, in one pass over a tensor's bits.
/// </summary>
internal static unsafe class NonFinite
{
    /// <summary>A tensor holds a NaN or an infinity.</summary>
    public static bool Contains(SafetensorsDtype dtype, byte* source, long count) => dtype switch
    {
        SafetensorsDtype.F64 => Any(source, count, 0x7ff0_0000_0000_0000UL),
        SafetensorsDtype.F32 => Any(source, count, 0x7f80_0000U),
        SafetensorsDtype.F16 => Any(source, count, (ushort)0x7c00),
        SafetensorsDtype.BF16 => Any(source, count, (ushort)0x7f80),
        _ => false,
    };

    private static bool Any<T>(byte* source, long count, T exponent)
        where T : unmanaged, IBinaryInteger<T>
    {
        var i = 0L;
        var mask = new Vector<T>(exponent);
        for (; i <= count - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(Unsafe.ReadUnaligned<Vector<T>>(source + (i * sizeof(T))) & mask, mask))
                return true;
        }

        for (; i < count; i++)
        {
            if ((Unsafe.ReadUnaligned<T>(source + (i * sizeof(T))) & exponent) == exponent)
                return true;
        }

        return false;
    }
}
