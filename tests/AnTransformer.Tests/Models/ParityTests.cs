using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Models;

/// <summary>Logits, loss, gradients and one optimizer step against an independent implementation.</summary>
public sealed class ParityTests
{
    // The fixtures store fp32, so fp64 results agree to its rounding; the loss is stored in fp64.
    private const double StoredPrecision = 1.2e-7;
    private const double SinglePrecision = 1e-4;
    private const double DoublePrecision = 1e-9;

    public static TheoryData<string> Names => Fixture.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_agree(string name)
    {
        foreach (var (dtype, tolerance) in Precisions())
        {
            using var scope = NewDisposeScope();
            using var fixture = new Fixture(name, dtype);
            Assert.InRange(fixture.RelativeError(fixture.Model.forward(fixture.Tokens), "logits"), 0, tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_agrees(string name)
    {
        foreach (var (dtype, tolerance) in new[] { (ScalarType.Float32, SinglePrecision), (ScalarType.Float64, DoublePrecision) })
        {
            using var scope = NewDisposeScope();
            using var fixture = new Fixture(name, dtype);
            Assert.InRange(fixture.RelativeError(fixture.Model.Loss(fixture.Tokens, fixture.Targets), "loss"), 0, tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_gradient_agrees(string name)
    {
        foreach (var (dtype, tolerance) in Precisions())
        {
            using var scope = NewDisposeScope();
            using var fixture = new Fixture(name, dtype);
            BackwardPass.Run(fixture.Model.Loss(fixture.Tokens, fixture.Targets));
            foreach (var (parameter, values) in fixture.Model.NamedParameters())
                Assert.True(fixture.RelativeError(values.grad!, "grad." + parameter) < tolerance, $"{parameter} in {dtype}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_optimizer_step_in_double_precision_agrees(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new Fixture(name, ScalarType.Float64);
        using var adam = new Optimizer(fixture.Model, fixture.Adam);
        BackwardPass.Run(fixture.Model.Loss(fixture.Tokens, fixture.Targets));
        adam.Update(learningRate: 0.01);
        foreach (var (parameter, values) in fixture.Model.NamedParameters())
            Assert.True(fixture.RelativeError(values, "after_step." + parameter) < StoredPrecision, parameter);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_optimizer_step_in_single_precision_agrees(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new Fixture(name, ScalarType.Float32);
        using var adam = new Optimizer(fixture.Model, fixture.Adam);

        // Adam's first step is g / (|g| + ε): where g is rounding noise in fp32, so is its sign. The expected gradients keep
        // that noise out, so that the optimizer and the constraint are what is tested; gradients have a test of their own.
        BackwardPass.Run(fixture.Model.Loss(fixture.Tokens, fixture.Targets));
        using (no_grad())
        {
            foreach (var (parameter, values) in fixture.Model.NamedParameters())
                values.grad!.copy_(fixture.Expected("grad." + parameter));
        }

        adam.Update(learningRate: 0.01);
        foreach (var (parameter, values) in fixture.Model.NamedParameters())
            Assert.True(fixture.RelativeError(values, "after_step." + parameter) < SinglePrecision, parameter);
    }

    private static IEnumerable<(ScalarType Dtype, double Tolerance)> Precisions()
        => [(ScalarType.Float32, SinglePrecision), (ScalarType.Float64, StoredPrecision)];
}
