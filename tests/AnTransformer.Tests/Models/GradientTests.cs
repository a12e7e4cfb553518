using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>Gradients of every architecture and variant against central finite differences in double precision.</summary>
public sealed class GradientTests
{
    public static TheoryData<string, bool, string> Variants
    {
        get
        {
            var variants = new TheoryData<string, bool, string>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var queryKeyNorm in new[] { true, false })
                    variants.Add(architecture, queryKeyNorm, "all");
            }

            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var shape in Shapes.All.Keys)
                    variants.Add(architecture, true, shape);
            }

            foreach (var off in new[] { "qkv", "o", "ug", "act", "down", "alpha" })
                variants.Add("angpt", true, off);
            return variants;
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Gradients_equal_finite_differences(string architecture, bool queryKeyNorm, string variant)
    {
        using var scope = NewDisposeScope();
        var config = ArchitectureRegistry.CreateConfig(architecture, 11, 8, 2, 2, 6, intermediateSize: 12) with
        {
            QkNorm = queryKeyNorm,
            Factors = new FactorSwitches(
                variant != "qkv", variant != "o", variant != "ug", variant != "act", variant != "down", variant != "alpha"),
        };
        config = Shapes.All.TryGetValue(variant, out var change) ? change(config) : config;
        using var model = LanguageModel.Create(config, new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        model.Initialize(seed: 5);
        var tokens = tensor(new long[,] { { 1, 4, 2, 10, 0, 3 }, { 7, 7, 5, 9, 8, 6 } });
        var targets = tensor(new long[,] { { 4, 2, 10, 0, 3, 1 }, { 7, 5, 9, 8, 6, 2 } });
        model.Loss(tokens, targets).backward();
        using var generator = new Generator(7, CPU);
        foreach (var (name, parameter) in model.NamedParameters())
        {
            var direction = randn(parameter.shape, dtype: ScalarType.Float64, generator: generator);
            var expected = (parameter.grad! * direction).sum().item<double>();
            var measured = DirectionalDerivative(model, parameter, direction, tokens, targets);
            Assert.True(Math.Abs(expected - measured) < 1e-5 * Math.Max(0.01, Math.Abs(expected)), $"{name}: {expected} against {measured}");
        }
    }

    private static double DirectionalDerivative(LanguageModel model, Parameter parameter, Tensor direction, Tensor tokens, Tensor targets)
    {
        const double h = 1e-5;
        using var noGrad = no_grad();
        using var original = parameter.clone();
        double LossAt(double step)
        {
            parameter.copy_(original + (direction * step));
            return model.Loss(tokens, targets).item<double>();
        }

        var slope = (LossAt(h) - LossAt(-h)) / (2 * h);
        parameter.copy_(original);
        return slope;
    }
}
