using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>Attention of a head and its gradients against LibTorch's, on lengths and head sizes that no tile divides.</summary>
public sealed unsafe class AttentionHeadTests
{
    public static TheoryData<string, int, int, bool, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int, bool, int>();
            foreach (var kind in new[] { "blas", "512", "256", "128", "scalar" })
            {
                foreach (var (length, headSize) in new[] { (1, 2), (7, 6), (8, 32), (64, 16), (65, 64), (150, 48), (200, 80) })
                {
                    cases.Add(kind, length, headSize, true, 0);
                    cases.Add(kind, length, headSize, false, 0);
                    foreach (var window in new[] { 1, 5, 64, 130 })
                        cases.Add(kind, length, headSize, true, window);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Attention_and_its_gradients_equal_LibTorchs(string kind, int length, int headSize, bool causal,
        int window)
    {
        using var scope = NewDisposeScope();
        AttentionHead head = kind switch
        {
            "512" => new TiledAttentionHead<Simd512>(),
            "256" => new TiledAttentionHead<Simd256>(),
            "128" => new TiledAttentionHead<Simd128>(),
            "scalar" => new TiledAttentionHead<SimdScalar>(),
            _ => new BlasAttentionHead(),
        };
        var (q, k, v) = (Normal(length, headSize), Normal(length, headSize), Normal(length, headSize));
        var g = randn(length, headSize);
        var scale = Math.Sqrt(headSize);        // LibTorch divides by it
        var mask = window > 0 ? ones([length, length], dtype: ScalarType.Bool).tril().triu(1 - window) : null;
        var expected = nn.functional.scaled_dot_product_attention(
            (q * scale).unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), attn_mask: mask,
            is_casual: causal && window == 0).squeeze(0);
        expected.backward([g]);

        // Values and results are rows of wider tensors, whose other columns must stay as they were.
        var (wideV, y, dv) = (full(length, headSize + 3, 9f), full(length, headSize + 5, 9f), full(length, headSize + 3, 9f));
        var wideG = full(length, headSize + 5, 9f);
        using (no_grad())
        {
            wideV[.., ..headSize] = v;
            wideG[.., ..headSize] = g;
        }

        var (logSumExp, dq, dk) = (zeros(length), zeros(length, headSize), zeros(length, headSize));
        var shape = new AttentionShape(1, 1, headSize, causal, window > 0 ? window : null);
        using (var scratch = BufferPool.Rent(head.ForwardScratch(length, shape)))
            head.Forward(At(q), At(k), At(wideV), headSize + 3, At(y), headSize + 5, At(logSumExp), length, shape,
                scratch.Pointer);
        Backward(add: false);

        AssertNear(expected, y[.., ..headSize]);
        AssertNear(q.grad!, dq);
        AssertNear(k.grad!, dk);
        AssertNear(v.grad!, dv[.., ..headSize]);

        // As a second head that shares the keys and values would.
        Backward(add: true);
        AssertNear(q.grad!, dq);
        AssertNear(k.grad! * 2, dk);
        AssertNear(v.grad! * 2, dv[.., ..headSize]);
        Assert.True((y[.., headSize..] == 9).all().item<bool>() && (dv[.., headSize..] == 9).all().item<bool>());

        void Backward(bool add)
        {
            using var scratch = BufferPool.Rent(head.BackwardScratch(length, shape));
            head.Backward(
                At(q), At(k), At(wideV), headSize + 3, At(wideG), headSize + 5, At(logSumExp), At(dq), At(dk),
                At(dv), add, length, shape,
                scratch.Pointer);
        }
    }

    private static Tensor Normal(params long[] shape) => randn(shape).requires_grad_();

    private static float* At(Tensor tensor) => TensorMemory.Floats(tensor);

    private static void AssertNear(Tensor expected, Tensor actual)
    {
        using var noGrad = no_grad();
        var error = (expected - actual).abs().max().item<float>();
        Assert.True(error < 3e-5 * Math.Max(1, expected.abs().max().item<float>()), $"differs by {error}");
    }
}
