using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// 4 floats. Multiply-adds are estimates: fused where the processor has them, as all but the oldest have, and a product
/// and a sum elsewhere, where a fused one would be computed by a library, a hundred times as slowly.
/// </summary>
internal unsafe struct Simd128(Vector128<float> value) : ISimd<Simd128>
{
    private Vector128<float> _value = value;

    public static int Width => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator +(Simd128 a, Simd128 b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator -(Simd128 a, Simd128 b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator *(Simd128 a, Simd128 b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator /(Simd128 a, Simd128 b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c)
        => new(Vector128.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Sqrt(Simd128 a) => new(Vector128.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Max(Simd128 a, Simd128 b) => new(Vector128.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Min(Simd128 a, Simd128 b) => new(Vector128.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Round(Simd128 a) => new(Vector128.Round(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 ScaleByPowerOfTwo(Simd128 a, Simd128 n)
        => new(a._value * ((Vector128.ConvertToInt32Native(n._value) + Vector128.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Simd128 a, Simd128 b) => _value = Vector128.MultiplyAddEstimate(a._value, b._value, _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* destination) => _value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => Vector128.Sum(_value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Largest() => MathF.Max(MathF.Max(_value[0], _value[1]), MathF.Max(_value[2], _value[3]));
}
