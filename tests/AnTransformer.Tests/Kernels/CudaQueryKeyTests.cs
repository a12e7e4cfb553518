using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>Queries and keys by the emulated kernels equal fp64 formulas and their gradients.</summary>
[Collection(KernelEmulator.Collection)]
public sealed class CudaQueryKeyTests(KernelEmulator emulator)
{
    private const double Epsilon = 0.1;
    private const double Factor = 1.7;

    // (B, T, H, d_h, start): the smallest, odd numbers of everything, more channels than a warp, more tokens than blocks.
    private static readonly (long B, long T, int H, int Size, long Start)[] Sizes =
        [(1, 1, 1, 2, 0), (2, 5, 3, 6, 3), (1, 3, 2, 64, 0), (2, 3, 2, 130, 1), (3, 37, 1, 16, 2)];

    [Theory]
    [InlineData(nameof(QueryKeyNorm.None), false)]
    [InlineData(nameof(QueryKeyNorm.None), true)]
    [InlineData(nameof(QueryKeyNorm.Rms), true)]
    [InlineData(nameof(QueryKeyNorm.L2), false)]
    [InlineData(nameof(QueryKeyNorm.L2), true)]
    public void QueryKeyValue(string name, bool withGain)
    {
        var norm = Enum.Parse<QueryKeyNorm>(name);
        foreach (var size in Sizes)
        {
            foreach (var dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 })
                KernelAssert.Everywhere(emulator, 0, (ulong)size.Size, device => Compare(device, dtype, size, norm, withGain));
        }
    }

    [Fact]
    public void ALongHeadTakesFewerWarps() => KernelAssert.Everywhere(
        emulator, 0, 1, device => Compare(device, ScalarType.Float32, (1, 2, 1, 2048, 0), QueryKeyNorm.Rms, withGain: true));

    private static Tensor[] Compare(
        GuardedDevice device, ScalarType dtype, (long B, long T, int H, int Size, long Start) size, QueryKeyNorm norm, bool withGain)
    {
        var (b, t, heads, headSize, start) = size;
        var rms = norm == QueryKeyNorm.Rms;
        var qkv = device.Random(b, t, 3 * heads * headSize).to(dtype);
        var angles = device.Random(start + t + 1, headSize / 2);
        var (cosine, sine) = (angles.cos(), angles.sin());
        var queryGain = rms ? device.Random(headSize) : device.Random(heads, headSize);
        var keyGain = rms ? device.Random(headSize) : queryGain;
        // Attention's gradients are not contiguous: [B, T, H, d_h] underneath.
        var gradients = Enumerable.Range(0, 3).Select(_ => device.Random(b, t, heads, headSize).to(dtype)).ToArray();
        var kernels = new CudaKernels(device);
        var (input, cos, sin) = (device.Put(qkv), device.Put(cosine), device.Put(sine));
        var inputQueryGain = withGain ? device.Put(queryGain) : null;
        var inputKeyGain = withGain && rms ? device.Put(keyGain) : inputQueryGain;
        var forward = CudaOperators.QueryKeyForward(
            kernels, input, heads, norm, inputQueryGain, inputKeyGain, cos, sin, start, Factor, Epsilon);
        var given = gradients.Select(gradient => device.Put(gradient).transpose(1, 2)).ToArray();
        var backward = CudaOperators.QueryKeyBackward(
            kernels, given[0], given[1], given[2], input, norm, inputQueryGain, inputKeyGain, cos, sin, forward.QueryReciprocal,
            forward.KeyReciprocal, start, Factor);

        var leaf = qkv.to(ScalarType.Float64).requires_grad_(true);
        var leafQueryGain = queryGain.to(ScalarType.Float64).requires_grad_(true);
        var leafKeyGain = rms ? keyGain.to(ScalarType.Float64).requires_grad_(true) : leafQueryGain;
        var parts = leaf.chunk(3, -1).Select(part => part.view(b, t, heads, headSize).transpose(1, 2)).ToArray();
        var turning = (cosine.narrow(0, start, t).to(ScalarType.Float64), sine.narrow(0, start, t).to(ScalarType.Float64));
        var q = Factor * Reference(parts[0], norm, withGain ? leafQueryGain : null, turning);
        var k = Reference(parts[1], norm, withGain ? leafKeyGain : null, turning);
        var outputs = new[] { q, k, parts[2] };
        outputs.Zip(gradients).Select(pair => (pair.First * pair.Second.transpose(1, 2)).sum()).Aggregate((x, y) => x + y).backward();
        KernelAssert.Close(q, forward.Query);
        KernelAssert.Close(k, forward.Key);
        KernelAssert.Close(parts[2], forward.Value);
        KernelAssert.Close(leaf.grad!, backward.Qkv);
        if (!withGain)
            Assert.Null(backward.Gains);
        else
            KernelAssert.Close(rms ? stack([leafQueryGain.grad!, leafKeyGain.grad!]) : leafQueryGain.grad!, backward.Gains!);
        return [forward.Query, forward.Key, forward.Value, backward.Qkv, .. withGain ? new[] { backward.Gains! } : []];
    }

    private static Tensor Reference(Tensor x, QueryKeyNorm norm, Tensor? gain, (Tensor Cosine, Tensor Sine) turning)
    {
        if (norm == QueryKeyNorm.Rms)
            return Turn(x * (x.square().mean([-1], keepdim: true) + Epsilon).rsqrt() * gain!, turning);
        var y = Turn(x, turning);
        y = norm == QueryKeyNorm.L2 ? y / y.norm(-1, keepdim: true, p: 2) : y;
        return gain is null ? y : y * gain.unsqueeze(1);
    }

    private static Tensor Turn(Tensor x, (Tensor Cosine, Tensor Sine) turning)
    {
        var halves = x.chunk(2, -1);
        return cat(
            [(halves[0] * turning.Cosine) - (halves[1] * turning.Sine), (halves[1] * turning.Cosine) + (halves[0] * turning.Sine)], -1);
    }
}
