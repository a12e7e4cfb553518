using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using AnTransformer.Tests.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>The fused attention operator on shapes with shared keys and values and without a mask.</summary>
public sealed class AttentionShapeTests
{
    public static TheoryData<int, int, int, bool, string> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, int, bool, string>();
            foreach (var (heads, keyValueHeads, headSize) in new[] { (4, 4, 6), (4, 2, 6), (6, 1, 10), (2, 1, 4) })
            {
                foreach (var causal in new[] { true, false })
                {
                    foreach (var norm in new[] { "none", "L2", "scaled", "RMS" })
                        cases.Add(heads, keyValueHeads, headSize, causal, norm);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_equal_finite_differences(int heads, int keyValueHeads, int headSize, bool causal, string norm)
    {
        using var scope = NewDisposeScope();
        var shape = new AttentionShape(heads, keyValueHeads, headSize, causal);
        var normalization = Normalization(norm, shape);
        using var rotary = Rotary(shape);
        using var generator = new Generator(3, CPU);
        var qkv = randn([2, 7, shape.ProjectedWidth], generator: generator).requires_grad_();
        var direction = randn(qkv.shape, generator: generator);
        var weights = randn([2, 7, shape.QueryWidth], generator: generator);
        AttentionOperator.Apply(qkv, normalization, rotary, 0.6, shape).backward([weights]);
        var expected = (qkv.grad! * direction).to(float64).sum().item<double>();
        using var noGrad = no_grad();
        const double h = 5e-3;      // fourth order, since rounding in fp32 does not allow for a smaller step
        var measured = ((8 * (Along(h) - Along(-h))) - (Along(2 * h) - Along(-2 * h))) / (12 * h);
        var error = Math.Abs(expected - measured) / Math.Max(5, Math.Abs(expected));
        Assert.True(error < 3e-3, $"{expected} against {measured}");

        double Along(double step)
            => (AttentionOperator.Apply(qkv + (direction * step), normalization, rotary, 0.6,
                shape) * weights).to(float64).sum().item<double>();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Fused_and_eager_attention_agree_over_several_blocks(int heads, int keyValueHeads, int headSize,
        bool causal, string norm)
    {
        using var scope = NewDisposeScope();
        var shape = new AttentionShape(heads, keyValueHeads, headSize, causal);
        var config = Config(shape);
        using var rotary = Rotary(shape);
        using var attention = new SelfAttention(config, ModelContext.Default);
        var normalization = Normalization(norm, shape);
        var qkv = randn(2, 150, shape.ProjectedWidth).requires_grad_();
        var weights = randn(2, 150, shape.QueryWidth);
        var fused = attention.Attend(qkv, normalization, 0.6, rotary, start: 0, cache: null);
        fused.backward([weights]);
        var gradients = Gradients();
        var eager = Eagerly.Run(() => attention.Attend(qkv, normalization, 0.6, rotary, start: 0, cache: null));
        eager.backward([weights]);
        FusedModelTests.AssertNear(eager, fused, 2e-6, "attention");
        foreach (var (ours, theirs) in gradients.Zip(Gradients()))
            FusedModelTests.AssertNear(theirs, ours, 2e-5, "gradient");

        List<Tensor> Gradients()
        {
            var parameters = new Tensor?[] { qkv, normalization.Query, normalization.Key }.OfType<Tensor>().Distinct();
            return parameters.Select(parameter =>
            {
                var gradient = parameter.grad!.clone();
                parameter.grad!.zero_();
                return gradient;
            }).ToList();
        }
    }

    private static ModelConfig Config(AttentionShape shape) => ArchitectureRegistry.CreateConfig("angpt", 11, 8, 2,
        1, 200) with
    {
        NumAttentionHeads = shape.Heads,
        NumKeyValueHeads = shape.KeyValueHeads,
        HeadDim = shape.HeadSize,
        IsCausal = shape.Causal,
    };

    private static RotaryEmbedding Rotary(AttentionShape shape) => new(Config(shape), ModelContext.Default);

    private static QueryKeyNormalization Normalization(string norm, AttentionShape shape)
    {
        switch (norm)
        {
            case "none":
                return QueryKeyNormalization.None;
            case "L2":
                return QueryKeyNormalization.L2;
            case "RMS":
                var (query, key) = (new RmsNorm(shape.HeadSize, 1e-6, ModelContext.Default),
                    new RmsNorm(shape.HeadSize, 1e-6, ModelContext.Default));
                Spread(query.Weight);
                Spread(key.Weight);
                return QueryKeyNormalization.Rms(query, key);
            default:
                var scale = new ReparameterizedScale(shape.KeyValueWidth, new ScaleInit(1.5, 0.5),
                    ModelContext.Default);
                Spread(scale.Stored);
                return QueryKeyNormalization.Scaled(scale, normalize: true);
        }
    }

    private static void Spread(Parameter parameter)
    {
        using var noGrad = no_grad();
        using var generator = new Generator(5, CPU);
        parameter.mul_(1 + (0.4 * randn(parameter.shape, generator: generator)));
    }
}
