using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>How the numbers of a matrix's row become floats in a register.</summary>
internal unsafe interface IWeightFormat
{
    /// <summary>Bytes of a number.</summary>
    static abstract int Size { get; }

    /// <summary>As many numbers as a vector has, from an index on.</summary>
    /// <param name="row">The row.</param>
    /// <param name="scales">Of its blocks of 32 numbers, where it has such.</param>
    /// <param name="index">The first number's.</param>
    static abstract V Load<V>(byte* row, float* scales, long index)
        where V : struct, ISimd<V>;
}

/// <summary>Single precision.</summary>
internal readonly unsafe struct F32Rows : IWeightFormat
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* row, float* scales, long index)
        where V : struct, ISimd<V>
        => V.Load((float*)row + index);
}

/// <summary>Brain floating point: the upper half of a float.</summary>
internal readonly unsafe struct BF16Rows : IWeightFormat
{
    public static int Size => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* row, float* scales, long index)
        where V : struct, ISimd<V>
    {
        var source = (ushort*)row + index;
        if (typeof(V) == typeof(Simd512) && Avx512F.IsSupported)
        {
            var wide = Avx512F.ConvertToVector512Int32(Vector256.Load(source));
            return Unsafe.BitCast<Vector512<float>, V>((wide << 16).AsSingle());
        }

        if (typeof(V) == typeof(Simd256))
        {
            var wide = Avx2.IsSupported
                ? Avx2.ConvertToVector256Int32(Vector128.Load(source))
                : Vector256.WidenLower(Vector128.Load(source).ToVector256()).AsInt32();
            return Unsafe.BitCast<Vector256<float>, V>((wide << 16).AsSingle());
        }

        if (typeof(V) == typeof(Simd128))
        {
            var four = Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(source)).AsUInt16();
            return Unsafe.BitCast<Vector128<float>, V>((Vector128.WidenLower(four) << 16).AsSingle());
        }

        var values = stackalloc float[V.Width];
        for (var i = 0; i < V.Width; i++)
            values[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        return V.Load(values);
    }
}

/// <summary>Whole numbers of 8 bits with a scale for each block of 32.</summary>
internal readonly unsafe struct Q8Rows : IWeightFormat
{
    public static int Size => sizeof(sbyte);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(byte* row, float* scales, long index)
        where V : struct, ISimd<V>
        => QuantizedVector.Load<V>((sbyte*)row + index) * V.Broadcast(scales[index / BlockQuantization.Block]);
}
