using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Reference;
using AnTransformer.Tests.Kernels;
using AnTransformer.Tests.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>Masked language models of every architecture: the loss counts what has a target, and nothing else.</summary>
public sealed class MaskedModelTests
{
    private const int Vocabulary = 43;      // that of FusedModelTests.Create
    private const double Probability = 0.3;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Loss_and_gradients_equal_the_eager_twins_and_run_fused(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = FusedModelTests.Create(architecture, 20, 37, 9, queryKeyNorm: true, Masked);
        using var twin = EagerModel.Create(model.Config, CPU);
        twin.CopyFrom(model);
        var (tokens, targets) = Batch();
        using var gradients = model.Store.Gradients();
        using var log = new DispatchLog();
        var loss = model.Loss(tokens, targets);
        Assert.Contains("Loss Fused 1", log.Lines);
        Assert.Equal(twin.Loss(tokens, targets).item<float>(), loss.item<float>(), 1e-5);
        BackwardPass.Run(loss);
        BackwardPass.Run(model.Loss(tokens, targets) * 0.5);
        FusedModelTests.AssertGradients(model, twin, tokens, targets, factor: 1.5);
        Assert.Equal(loss.item<float>(), Eagerly.Run(() => model.Loss(tokens, targets).item<float>()), 1e-5);
    }

    /// <summary>Against log-probabilities summed here in double precision, from all logits.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void Loss_is_the_mean_over_targets_in_double_precision(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = FusedModelTests.Create(architecture, 20, 37, 9, queryKeyNorm: true, Masked);
        using var exact = Double(model);
        var (tokens, targets) = Batch();
        var logits = exact.forward(tokens).data<double>().ToArray();
        var (sum, count) = (0.0, 0);
        foreach (var (target, position) in targets.data<long>().ToArray().Select((target, position) => (target, position)))
        {
            if (target == IgnoredTargets.Index)
                continue;
            var row = logits.AsSpan(position * Vocabulary, Vocabulary).ToArray();
            sum += Math.Log(row.Sum(Math.Exp)) - row[target];
            count++;
        }

        Assert.InRange(count, 5, 20);
        Assert.Equal(sum / count, exact.Loss(tokens, targets).item<double>(), 1e-12);
        Assert.Equal(sum / count, model.Loss(tokens, targets).item<float>(), 1e-5);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Gradients_equal_finite_differences(string architecture)
    {
        using var scope = NewDisposeScope();
        using var source = FusedModelTests.Create(architecture, 8, 12, 9, queryKeyNorm: true, Masked);
        using var model = Double(source);
        var (tokens, targets) = Batch();
        model.Loss(tokens, targets).backward();
        using var generator = new Generator(7, CPU);
        foreach (var (name, parameter) in model.NamedParameters())
        {
            var direction = randn(parameter.shape, dtype: ScalarType.Float64, generator: generator);
            var expected = (parameter.grad! * direction).sum().item<double>();
            using var noGrad = no_grad();
            using var original = parameter.clone();
            var measured = (LossAt(1e-5) - LossAt(-1e-5)) / 2e-5;
            parameter.copy_(original);
            Assert.True(
                Math.Abs(expected - measured) < 1e-5 * Math.Max(0.01, Math.Abs(expected)), $"{name}: {expected} against {measured}");

            double LossAt(double step)
            {
                parameter.copy_(original + (direction * step));
                return model.Loss(tokens, targets).item<double>();
            }
        }
    }

    [Fact]
    public void The_head_multiplies_only_rows_that_have_a_target()
    {
        using var scope = NewDisposeScope();
        var h = arange(24, dtype: float32).view(2, 4, 3);
        var targets = full([2, 4], IgnoredTargets.Index, dtype: int64);
        (targets[0, 2], targets[1, 0], targets[1, 3]) = (tensor(5L), tensor(6L), tensor(7L));
        var (rows, kept) = IgnoredTargets.LeaveOut(h, targets);
        Assert.Equal([1, 3, 3], rows.shape);
        Assert.Equal([6f, 7, 8, 12, 13, 14, 21, 22, 23], rows.data<float>().ToArray());
        Assert.Equal([5L, 6, 7], kept.data<long>().ToArray());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Logits_of_some_positions_are_those_among_all(string architecture)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = FusedModelTests.Create(architecture, 20, 37, 9, queryKeyNorm: true, Masked);
        var (tokens, _) = Batch();
        var all = model.forward(tokens).view(-1, Vocabulary);
        var some = model.LogitsAt(tokens, tensor(new long[] { 20, 3, 3, 11 }));
        FusedModelTests.AssertNear(all.index_select(0, tensor(new long[] { 20, 3, 3, 11 })), some, 1e-5, "logits");
    }

    [Fact]
    public void Losses_of_parts_add_up_by_their_numbers_of_targets()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = FusedModelTests.Create("angpt", 20, 37, 9, queryKeyNorm: true, Masked);
        var (tokens, targets) = Batch();
        var isEarly = arange(27, dtype: int64).view(3, 9) < 8;
        var parts = new[] { isEarly, isEarly.logical_not() }.Select(isPart =>
        {
            var some = targets.where(isPart, tensor(IgnoredTargets.Index));
            return (Loss: model.Loss(tokens, some).item<float>(), Count: some.ne(IgnoredTargets.Index).sum().item<long>());
        }).ToList();
        Assert.NotEqual(parts[0].Count, parts[1].Count);
        Assert.Equal(
            parts.Sum(part => part.Loss * part.Count) / parts.Sum(part => part.Count), model.Loss(tokens, targets).item<float>(), 1e-5);
    }

    [Fact]
    public void Its_configuration_survives_config_json_and_says_what_it_needs()
    {
        var config = Masked(ArchitectureRegistry.CreateConfig("gpt", Vocabulary, 20, 2, 2, 9));
        var json = ModelConfigJson.Write(config);
        Assert.Equal(config, ModelConfigJson.Parse(json, "config.json") with { NumKeyValueHeads = null, HeadDim = null });
        AssertRefused(json.Replace("\"is_causal\": false", "\"is_causal\": true", StringComparison.Ordinal), "mask_token_id needs attention");
        AssertRefused(json.Replace("\"mask_token_id\": 42", "\"mask_token_id\": 3", StringComparison.Ordinal), "must be the last");
        AssertRefused(json.Replace("\"mask_probability\": 0.3", "\"mask_probability\": 1", StringComparison.Ordinal), "between 0 and 1");

        static void AssertRefused(string json, string message)
        {
            var e = Assert.Throws<InvalidInputException>(() => ModelConfigJson.Parse(json, "config.json"));
            Assert.StartsWith("config.json: ", e.Message, StringComparison.Ordinal);
            Assert.Contains(message, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_head_costs_its_share()
    {
        var masked = Masked(ArchitectureRegistry.CreateConfig("gpt", Vocabulary, 20, 2, 2, 9));
        var whole = masked with { Masking = null };
        Assert.Equal(
            6 * (1 - Probability) * Vocabulary * 20,
            ModelCost.TrainingFlopsPerToken(whole) - ModelCost.TrainingFlopsPerToken(masked), 1e-6);
    }

    private static ModelConfig Masked(ModelConfig config)
        => config with { IsCausal = false, Masking = new TokenMasking(config.VocabSize - 1, Probability) };

    private static (Tensor Tokens, Tensor Targets) Batch()
    {
        var (tokens, targets) = FusedModelTests.Batch(3, 9);
        return (tokens, targets.where(targets.remainder(3) == 0, tensor(IgnoredTargets.Index)));
    }

    private static LanguageModel Double(LanguageModel model)
    {
        var exact = LanguageModel.Create(model.Config, new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        using var noGrad = no_grad();
        foreach (var (ours, theirs) in model.NamedParameters().Zip(exact.NamedParameters()))
            theirs.Parameter.copy_(ours.Parameter);
        return exact;
    }
}
