using System.Runtime.CompilerServices;

namespace AnTransformer.Kernels.Cpu;

/// <summary>
/// One float: the end of a row whose length is no multiple of the vector's, and processors without vectors.
/// </summary>
internal unsafe struct SimdScalar(float value) : ISimd<SimdScalar>
{
    private float _value = value;

    public static int Width => 1;

    public static SimdScalar Load(float* source) => new(*source);

    public static SimdScalar Broadcast(float value) => new(value);

    public static SimdScalar operator +(SimdScalar a, SimdScalar b) => new(a._value + b._value);

    public static SimdScalar operator -(SimdScalar a, SimdScalar b) => new(a._value - b._value);

    public static SimdScalar operator *(SimdScalar a, SimdScalar b) => new(a._value * b._value);

    public static SimdScalar operator /(SimdScalar a, SimdScalar b) => new(a._value / b._value);

    public static SimdScalar MultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c)
        => new(float.MultiplyAddEstimate(a._value, b._value, c._value));

    public static SimdScalar Sqrt(SimdScalar a) => new(MathF.Sqrt(a._value));

    public static SimdScalar Max(SimdScalar a, SimdScalar b) => new(a._value > b._value ? a._value : b._value);

    public static SimdScalar Min(SimdScalar a, SimdScalar b) => new(a._value < b._value ? a._value : b._value);

    public static SimdScalar Round(SimdScalar a) => new(MathF.Round(a._value));

    public static SimdScalar ScaleByPowerOfTwo(SimdScalar a, SimdScalar n)
        => new(a._value * BitConverter.Int32BitsToSingle(((int)n._value + 127) << 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(SimdScalar a, SimdScalar b) => _value = float.MultiplyAddEstimate(a._value, b._value, _value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* destination) => *destination = _value;

    public readonly float Sum() => _value;

    public readonly float Largest() => _value;
}
