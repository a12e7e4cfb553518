using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Kernels;

/// <summary>Whole numbers of 8 bits as floats.</summary>
internal static unsafe class QuantizedVector
{
    /// <summary>As many as a vector has.</summary>
    /// <param name="source">The first one.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V>(sbyte* source)
        where V : struct, ISimd<V>
    {
        if (typeof(V) == typeof(Simd512) && Avx512F.IsSupported)
        {
            var wide = Avx512F.ConvertToVector512Int32(Vector128.Load(source));
            return Unsafe.BitCast<Vector512<float>, V>(Avx512F.ConvertToVector512Single(wide));
        }

        if (typeof(V) == typeof(Simd256) && Avx2.IsSupported)
            return Unsafe.BitCast<Vector256<float>, V>(
                Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(source)));

        if (typeof(V) == typeof(Simd128))
        {
            var four = Vector128.CreateScalar(Unsafe.ReadUnaligned<int>(source)).AsSByte();
            return Unsafe.BitCast<Vector128<float>, V>(
                Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(four))));
        }

        var values = stackalloc float[V.Width];
        for (var i = 0; i < V.Width; i++)
            values[i] = source[i];
        return V.Load(values);
    }
}
