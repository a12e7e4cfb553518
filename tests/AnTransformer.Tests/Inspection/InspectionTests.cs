using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Inspection;
using AnTransformer.Layers;
using AnTransformer.Normalization;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Inspection;

public sealed class InspectionTests
{
    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void An_observed_pass_computes_the_same_to_the_bit_gradients_included(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = Initialized(Small(architecture));
        var (tokens, targets) = Batch(model.Config, 3, 12);
        var plain = Backward(model.Loss(tokens, targets), model);
        var observed = Backward(model.Loss(tokens, targets, new Counter()), model);
        Assert.Equal(plain, observed);

        using var noGrad = no_grad();
        Assert.True(model.forward(tokens, cache: null, new Counter()).equal(model.forward(tokens)).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_observed_values_are_those_that_the_model_computes_with(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Initialized(Small(architecture));
        var values = new Keeper();
        var tokens = Batch(model.Config, 2, 12).Tokens;
        var logits = model.forward(tokens, cache: null, values);

        var scale = model.NamedParameters().Where(item => item.Name == "logit_scale").Select(item => item.Parameter).SingleOrDefault();
        var told = stack(values[null, Activation.Logits]);
        AssertClose(logits, scale is null ? told : told * (scale * (model.Config.LogitScale.Init / model.Config.LogitScale.Scale)));
        AssertClose(told, nn.functional.linear(values[null, Activation.HeadInput][0], model.Head.Weight));
        for (var layer = 0; layer < model.Blocks.Count; layer++)
        {
            var before = layer == 0 ? values[null, Activation.Embedding][0] : values[layer - 1, Activation.StreamAfterMlp][0];
            var middle = values[layer, Activation.StreamAfterAttention][0];
            AssertClose(middle, Update(model, layer, "attn_alpha", before, values[layer, Activation.AttentionOutput][0]));
            AssertClose(
                values[layer, Activation.StreamAfterMlp][0], Update(model, layer, "mlp_alpha", middle, values[layer, Activation.MlpOutput][0]));
            AssertRead(model, values, layer);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_wide_AnGpt_starts_with_the_norms_that_are_predicted(bool withFactors)
    {
        var config = ArchitectureRegistry.CreateConfig("angpt", 512, 256, 4, 3, 32) with
        {
            Alpha = new ScaleInit(withFactors ? 0.05 : 0.2, 1),
            Factors = withFactors ? new() : new(Qkv: false, UpGate: false, Activation: false, Down: false, Residual: false),
        };
        using var model = Initialized(config);
        var inspection = Measure(model, 4, 32);
        foreach (var item in inspection.Activations.Where(item => item is { Predicted.IsUpperBound: false, Activation: not Activation.AttentionOutput }))
        {
            // Attention's output is shorter than predicted, and so a little of that is in the stream.
            var ratio = item.Norm.RootMeanSquare / item.Predicted!.Value;
            Assert.True(ratio is > 0.9 and < 1.1, $"{item.Layer} {item.Activation}: {item.Norm.RootMeanSquare} of {item.Predicted.Value}");
        }

        if (withFactors)
        {
            Assert.Equal(1, inspection.Norm(0, Activation.Up).Predicted!.Value, 1e-9);
            Assert.Equal(1, inspection.Norm(2, Activation.StreamAfterMlp).Predicted!.Value, 1e-9);
        }

        Assert.Equal(2, inspection.Norm(1, Activation.Attention).Predicted!.Value, withFactors ? 1e-9 : 2);
        Assert.All(inspection.Activations.Where(item => item is { Predicted.IsUpperBound: true }), item =>
            Assert.True(item.Norm.RootMeanSquare < item.Predicted!.Value * 1.05));
        Assert.All(inspection.Alignments.Where(item => item.Input != Activation.Attention), item => Assert.InRange(item.Amplification, 0.85, 1.15));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Predictions_hold_at_initialization(string architecture)
    {
        using var model = Initialized(ArchitectureRegistry.CreateConfig(architecture, 512, 256, 4, 2, 16));
        var inspection = Measure(model, 4, 16);
        Assert.All(inspection.Activations, item => Assert.NotNull(item.Predicted));
        foreach (var item in inspection.Activations.Where(item => item is { Predicted.IsUpperBound: false, Activation: not Activation.AttentionOutput }))
        {
            var ratio = item.Norm.RootMeanSquare / item.Predicted!.Value;
            Assert.True(ratio is > 0.88 and < 1.12, $"{item.Layer} {item.Activation}: {item.Norm.RootMeanSquare} of {item.Predicted.Value}");
        }

        if (architecture == "ngpt")
        {
            Assert.All(
                inspection.Activations.Where(item => item.Activation is Activation.StreamAfterAttention or Activation.StreamAfterMlp or Activation.Embedding),
                item => Assert.True(item.Norm.Lowest > 1 - 1e-5 && item.Norm.Highest < 1 + 1e-5));
        }
    }

    [Fact]
    public void Parameters_are_measured_as_they_are()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Initialized(Small("angpt") with { Alpha = new ScaleInit(0.2, 0.5) });
        var alpha = model.NamedParameters().Single(item => item.Name == "model.layers.1.mlp_alpha").Parameter;
        alpha[0] = -1;
        var gate = model.Blocks[1].Mlp.GateProj.Weight;
        gate[2].mul_(0.5);
        var inspection = Measure(model, 2, 12);

        var matrix = inspection.Matrices.Single(item => item is { Layer: 1, Matrix: "gate_proj" });
        Assert.Equal((matrix.Rows, matrix.Columns, matrix.AtBound), (64, 16, 63));
        Assert.Equal(0.5, matrix.VectorNorms.Lowest, 1e-6);
        var singular = linalg.svdvals(gate)[0].item<float>();
        Assert.InRange(matrix.SpectralNorm!.Value, singular * 0.99, singular * 1.0001);
        Assert.Equal(gate.square().sum().item<float>() / (singular * singular), matrix.StableRank!.Value, matrix.StableRank.Value * 0.03);
        var scale = inspection.Scales.Single(item => item is { Layer: 1, Scale: "mlp_alpha" });
        Assert.Equal((1, 0.4), (scale.Negative, Math.Round(scale.Values.Highest, 6)));
        Assert.Equal(0.2, scale.Values.Median, 1e-6);
        Assert.Equal(4, inspection.Scales.Single(item => item.Scale == "logit_scale").Values.Mean, 1e-6);
    }

    [Fact]
    public void The_mean_direction_explains_how_much_longer_products_are()
    {
        // All tokens have the same embedding, which is W_u's rows too: the mean is everything, and products are √c times too long.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Initialized(Small("angpt") with { Alpha = new ScaleInit(1e-6, 1) });
        var direction = randn(16);
        direction = direction / direction.norm();
        model.EmbedTokens.Weight.copy_(direction.expand(17, 16));
        model.Blocks[0].Mlp.UpProj.Weight.copy_(direction.expand(64, 16));
        var inspection = Measure(model, 2, 12);

        var up = inspection.Alignments.Single(item => item is { Layer: 0, Matrix: "up_proj" });
        Assert.Equal(1, up.MeanShare, 1e-4);
        Assert.Equal((1, 4), (Math.Round(up.Cosines.Highest, 4), Math.Round(up.CosineRatio, 4)));
        Assert.Equal(4, up.Amplification, 1e-3);
        Assert.Equal(4, up.AmplificationOfMean, 1e-3);
        Assert.Equal(4, inspection.Norm(0, Activation.Up).Norm.Mean, 1e-3);
    }

    [Fact]
    public void Updates_along_the_stream_have_a_cosine_of_one()
    {
        // W_v and W_o are identities, and every token is the same: attention adds what is there.
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Initialized(Small("angpt"));
        model.EmbedTokens.Weight.copy_(model.EmbedTokens.Weight[0].clone().expand(17, 16));
        model.Blocks[0].SelfAttention.VProj.Weight.copy_(eye(16));
        model.Blocks[0].SelfAttention.OProj.Weight.copy_(eye(16));
        var inspection = Measure(model, 2, 12);
        Assert.Equal(1, inspection.Updates.Single(item => item is { Layer: 0, Output: Activation.AttentionOutput }).Cosine, 1e-5);
        Assert.Equal(4, inspection.Updates.Count);
        Assert.All(inspection.Updates, item => Assert.InRange(item.Cosine, -1, 1.00001));
    }

    [Fact]
    public void Constraint_and_norm_variants_in_double_and_in_bf16_are_measured_too()
    {
        foreach (var (architecture, dtype, compute) in new[]
        {
            ("angpt", ScalarType.Float64, ScalarType.Float64), ("ngpt", ScalarType.Float32, ScalarType.BFloat16), ("gpt+", ScalarType.Float32, ScalarType.BFloat16),
        })
        {
            var config = Small(architecture) with { QkNorm = false, Constraint = RowConstraint.None };
            using var model = LanguageModel.Create(config, new ModelContext(CPU, dtype, compute));
            model.Initialize(1);
            Assert.All(Measure(model, 2, 12).Activations, item => Assert.True(double.IsFinite(item.Norm.Mean) && item.Norm.Count > 0));
        }
    }

    private static ModelConfig Small(string architecture)
    {
        return ArchitectureRegistry.CreateConfig(architecture, 17, 16, 2, 2, 12);
    }

    private static LanguageModel Initialized(ModelConfig config)
    {
        var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed: 5);
        return model;
    }

    private static (Tensor Tokens, Tensor Targets) Batch(ModelConfig config, long batch, long length)
    {
        using var generator = new Generator(3, CPU);
        var tokens = randint(0, config.VocabSize, [batch, length + 1], dtype: ScalarType.Int64, generator: generator);
        return (tokens[.., ..^1].contiguous(), tokens[.., 1..].contiguous());
    }

    private static ModelInspection Measure(LanguageModel model, long batch, long length)
    {
        using var scope = NewDisposeScope();
        return ModelInspection.Measure(model, [Batch(model.Config, batch, length), Batch(model.Config, batch, length)], cancellation: TestContext.Current.CancellationToken);
    }

    private static List<float> Backward(Tensor loss, LanguageModel model)
    {
        using var gradients = model.Store.Gradients();
        gradients.zero_();
        loss.backward();
        return [loss.item<float>(), .. gradients.data<float>().ToArray()];
    }

    private static Tensor Update(LanguageModel model, int layer, string name, Tensor h, Tensor x)
    {
        if (model is Gpt or SquashingGpt)
            return h + x;
        // Gains are ones at initialization.
        if (model is Sandwich)
            return h + Norms.Rms(x, model.Config.RmsNormEps);
        var stored = model.NamedParameters().Single(item => item.Name == $"model.layers.{layer}.{name}").Parameter;
        var alpha = (stored * (model.Config.Alpha.Init / model.Config.Alpha.Scale)).abs();
        return model is NGpt
            ? Norms.L2(h + (alpha * (Norms.L2(x) - h)))
            : (h + (alpha * (x - h))) * (alpha.square() + (1 - alpha).square()).rsqrt();
    }

    /// <summary>Products of what a block's matrices are told to be applied to are what the block is told to have computed.</summary>
    private static void AssertRead(LanguageModel model, Keeper values, int layer)
    {
        var (attention, mlp) = (model.Blocks[layer].SelfAttention, model.Blocks[layer].Mlp);
        var nu = model is AnGpt ? NormalizationFactors.For(model.Config) : new NormalizationFactors(1, 1, 1, 1, 1, false);
        var rootWidth = Math.Sqrt(model.Config.HiddenSize);
        Tensor Of(Activation activation) => values[layer, activation][0];
        AssertClose(Of(Activation.Query), nu.Qkv * nn.functional.linear(Of(Activation.AttentionInput), attention.QProj.Weight));
        AssertClose(Of(Activation.Value), nu.Qkv * nn.functional.linear(Of(Activation.AttentionInput), attention.VProj.Weight));
        AssertClose(Of(Activation.AttentionOutput), nu.Output * nn.functional.linear(Of(Activation.Attention), attention.OProj.Weight));
        AssertClose(Of(Activation.Gate), (model is NGpt ? rootWidth : nu.UpGate) * nn.functional.linear(Of(Activation.MlpInput), mlp.GateProj.Weight));
        AssertClose(
            Of(Activation.Gated), nu.Activation * Of(Activation.Up) * nn.functional.silu(Of(Activation.Gate) * (model is AnGpt ? rootWidth : 1)));
        AssertClose(Of(Activation.MlpOutput), nu.Down * nn.functional.linear(Of(Activation.Gated), mlp.DownProj.Weight));
    }

    private static void AssertClose(Tensor actual, Tensor expected) => Assert.True(actual.allclose(expected, rtol: 1e-4, atol: 1e-5));

    private sealed class Counter : IActivationObserver
    {
        public int Count { get; private set; }

        public void Observe(int? layer, Activation activation, Tensor value) => Count++;
    }

    private sealed class Keeper : IActivationObserver
    {
        private readonly Dictionary<(int?, Activation), List<Tensor>> _values = [];

        public List<Tensor> this[int? layer, Activation activation] => _values[(layer, activation)];

        public void Observe(int? layer, Activation activation, Tensor value)
        {
            if (!_values.TryGetValue((layer, activation), out var list))
                _values.Add((layer, activation), list = []);
            list.Add(value.clone().DetachFromDisposeScope());
        }
    }
}
