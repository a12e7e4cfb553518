namespace AnTransformer.Checkpoints;

/// <summary>Element types of the safetensors format, by the names that the format gives them.</summary>
public enum SafetensorsDtype
{
    /// <summary>64-bit floating point.</summary>
    F64,

    /// <summary>32-bit floating point.</summary>
    F32,

    /// <summary>16-bit floating point (IEEE half).</summary>
    F16,

    /// <summary>Brain floating point: the upper half of a 32-bit one.</summary>
    BF16,

    /// <summary>64-bit signed integer.</summary>
    I64,

    /// <summary>32-bit signed integer.</summary>
    I32,

    /// <summary>16-bit signed integer.</summary>
    I16,

    /// <summary>8-bit signed integer.</summary>
    I8,

    /// <summary>8-bit unsigned integer.</summary>
    U8,

    /// <summary>Truth value, one byte each.</summary>
    BOOL,
}

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="Dtype">Its element type.</param>
/// <param name="Shape">Its dimensions, row-major; empty for a scalar.</param>
/// <param name="Offset">Where its bytes begin, counted from the end of the header.</param>
/// <param name="ByteCount">How many bytes it has.</param>
public sealed record SafetensorsEntry(
    string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape, long Offset, long ByteCount)
{
    /// <summary>The number of elements: the product of the shape.</summary>
    public long ElementCount => ByteCount / SizeOf(Dtype);

    /// <summary>The bytes of one element.</summary>
    /// <param name="dtype">A defined element type.</param>
    public static int SizeOf(SafetensorsDtype dtype) => dtype switch
    {
        SafetensorsDtype.F64 or SafetensorsDtype.I64 => 8,
        SafetensorsDtype.F32 or SafetensorsDtype.I32 => 4,
        SafetensorsDtype.F16 or SafetensorsDtype.BF16 or SafetensorsDtype.I16 => 2,
        SafetensorsDtype.I8 or SafetensorsDtype.U8 or SafetensorsDtype.BOOL => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "Not an element type of safetensors."),
    };

    /// <summary>The bytes of a tensor, or -1 when there are more than a signed 64-bit number holds.</summary>
    internal static long ByteCountOf(SafetensorsDtype dtype, IEnumerable<long> shape)
    {
        // An empty tensor is empty however large its other dimensions are.
        UInt128 size = (UInt128)SizeOf(dtype);
        var empty = false;
        foreach (var dimension in shape)
        {
            empty |= dimension == 0;
            if (dimension != 0 && size <= long.MaxValue)
                size *= (UInt128)dimension;
        }

        return empty ? 0 : size > long.MaxValue ? -1 : (long)size;
    }
}
