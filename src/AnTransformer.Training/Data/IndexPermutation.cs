using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AnTransformer.Training.Data;

/// <summary>
/// A keyed pseudorandom permutation of <c>[0, Count)</c> in constant memory: any element of a shuffled order can be had
/// without the others. A Feistel network over a rectangle <c>a × b</c> just larger than <c>Count</c>, with cycle
/// walking for the few values beyond it (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002, method 3).
/// For shuffling, not for secrecy.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct IndexPermutation
{
    // Far beyond the 4 rounds that make a Feistel network indistinguishable from random in theory; each costs about 2
    // ns.
    private const int Rounds = 8;

    private readonly ulong _count;
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _key;

    /// <summary>Creates the permutation of one key.</summary>
    /// <param name="count">Number of elements, at least 1.</param>
    /// <param name="seed">First half of the key.</param>
    /// <param name="stream">Second half of the key, such as an epoch.</param>
    public IndexPermutation(long count, ulong seed, ulong stream)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _count = (ulong)count;
        _a = CeilingSquareRoot(_count);
        _b = (_count + _a - 1) / _a;
        _key = Mix(Mix(seed + 0x9E3779B97F4A7C15) ^ (stream * 0xD1342543DE82EF95));
    }

    /// <summary>The element at a place of the shuffled order.</summary>
    /// <param name="index">In <c>[0, Count)</c>.</param>
    public long this[long index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)index, _count, nameof(index));
            var value = (ulong)index;
            do
                value = Encrypt(value);
            while (value >= _count);
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        var (right, left) = Math.DivRem(value, _a);
        for (var round = 0UL; round < Rounds; round++)
        {
            left = AddModulo(left, Bounded(2 * round, right, _a), _a);
            right = AddModulo(right, Bounded((2 * round) + 1, left, _b), _b);
        }
        return (right * _a) + left;
    }

    /// <summary>A pseudorandom value below <paramref name="bound"/>.</summary>
    private ulong Bounded(ulong round, ulong value, ulong bound) =>
        Math.BigMul(Mix(_key + (round * 0x9E3779B97F4A7C15) + (value * 0xA0761D6478BD642F)), bound, out _);

    private static ulong AddModulo(ulong x, ulong y, ulong modulus)
    {
        var sum = x + y;
        return sum >= modulus ? sum - modulus : sum;
    }

    private static ulong CeilingSquareRoot(ulong value)
    {
        // A double is off by one at most here: the square root of a number below 2⁶³ is below 2³².
        var root = (ulong)Math.Sqrt(value);
        while (root * root > value)
            root--;
        while (root * root < value)
            root++;
        return root;
    }

    /// <summary>The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
