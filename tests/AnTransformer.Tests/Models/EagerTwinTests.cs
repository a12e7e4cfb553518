using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Reference;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace AnTransformer.Tests.Models;

/// <summary>The eager twin against the independent fixtures, and against the models in variants that no fixture covers.</summary>
public sealed class EagerTwinTests
{
    private const double StoredPrecision = 1.2e-7;      // of the fixtures, see ParityTests
    private const double SinglePrecision = 1e-4;
    private const double DoublePrecision = 1e-9;

    public static TheoryData<string> Names => Fixture.Names;

    public static TheoryData<string, bool, RowConstraint> Variants
    {
        get
        {
            var variants = new TheoryData<string, bool, RowConstraint>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var queryKeyNorm in new[] { true, false })
                {
                    foreach (var constraint in Enum.GetValues<RowConstraint>())
                        variants.Add(architecture, queryKeyNorm, constraint);
                }
            }

            return variants;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_loss_and_every_gradient_agree_with_the_fixture(string name)
    {
        foreach (var (dtype, tolerance) in new[] { (ScalarType.Float32, SinglePrecision), (ScalarType.Float64, StoredPrecision) })
        {
            using var scope = NewDisposeScope();
            using var fixture = new Fixture(name, dtype);
            using var twin = TwinOf(fixture.Model);
            Assert.InRange(fixture.RelativeError(twin.forward(fixture.Tokens), "logits"), 0, tolerance);
            var loss = twin.Loss(fixture.Tokens, fixture.Targets);
            Assert.InRange(fixture.RelativeError(loss, "loss"), 0, dtype == ScalarType.Float64 ? DoublePrecision : SinglePrecision);
            loss.backward();
            foreach (var (parameter, values) in twin.NamedParameters)
                Assert.True(fixture.RelativeError(values.grad!, "grad." + parameter) < tolerance, $"{parameter} in {dtype}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_without_clipping_agrees_with_the_fixture(string name)
    {
        using var scope = NewDisposeScope();
        using var fixture = new Fixture(name, ScalarType.Float64);
        using var twin = TwinOf(fixture.Model);
        using var training = new EagerTraining(twin, gradientClipping: 0);
        training.ForwardBackward(fixture.Tokens, fixture.Targets);
        training.Update(learningRate: 0.01);
        foreach (var (parameter, values) in twin.NamedParameters)
            Assert.True(fixture.RelativeError(values, "after_step." + parameter) < StoredPrecision, parameter);
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Variants_agree_with_the_models(string architecture, bool queryKeyNorm, RowConstraint constraint)
        => AssertSteps(Small(architecture) with
        {
            QkNorm = queryKeyNorm,
            Constraint = constraint,
            RopeTheta = 500,
            RmsNormEps = 1e-3,
            Alpha = new ScaleInit(0.3, 0.7),
            LogitScale = new ScaleInit(2, 0.5),
            QkScale = new ScaleInit(1.5, 3),
            MlpScale = new ScaleInit(0.8, 1.2),
        });

    [Fact]
    public void Factors_can_be_switched_off_one_by_one()
    {
        var on = new FactorSwitches();
        FactorSwitches[] switches =
        [
            on with { Qkv = false }, on with { Output = false }, on with { UpGate = false },
            on with { Activation = false }, on with { Down = false }, on with { Residual = false },
        ];
        Assert.All(switches, factors => AssertSteps(Small("angpt") with { Factors = factors }));
    }

    [Fact]
    public void Steps_keep_no_tensors()
    {
        foreach (var architecture in ArchitectureRegistry.Names)
        {
            using var scope = NewDisposeScope();
            using var model = LanguageModel.Create(Small(architecture), ModelContext.Default);
            model.Initialize(seed: 3);
            using var twin = TwinOf(model);
            using var training = new EagerTraining(twin);
            var (tokens, targets) = Batch();
            training.Step(tokens, targets, 1e-3);
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (var step = 0; step < 5; step++)
                training.Step(tokens, targets, 1e-3);
            Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Weights_of_another_architecture_are_refused()
    {
        using var model = LanguageModel.Create(Small("ngpt"), ModelContext.Default);
        using var twin = EagerModel.Create(Small("angpt"), CPU);
        Assert.Throws<ArgumentException>(() => twin.CopyFrom(model));
    }

    /// <summary>Same loss and gradients, and the same weights after two whole steps, in double precision.</summary>
    private static void AssertSteps(ModelConfig config)
    {
        using var scope = NewDisposeScope();
        using var model = LanguageModel.Create(config, new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        model.Initialize(seed: 1);
        using var twin = TwinOf(model);
        using var training = new EagerTraining(twin);
        using var adam = new Optimizer(
            model.NamedParameters(),
            new OptimizerSettings { WeightDecay = ArchitectureRegistry.Get(config.Architecture).Training.WeightDecay });
        var (tokens, targets) = Batch();
        for (var step = 0; step < 2; step++)
        {
            var loss = model.Loss(tokens, targets);
            Assert.Equal(training.ForwardBackward(tokens, targets), loss.item<double>(), 1e-10);
            loss.backward();
            AssertSame(model, twin, values => values.grad!, 1e-8);
            training.Update(learningRate: 0.01);
            Update(model, adam, (ArchitectureRegistry.Get(config.Architecture).Training.GradientClipping > 0));
            AssertSame(model, twin, values => values, 1e-8);
        }
    }

    private static void Update(LanguageModel model, Optimizer adam, bool clips)
    {
        adam.Update(0.01, clips ? Math.Min(1, 1 / (adam.GradientNorm() + 1e-6)) : 1);
        model.ConstrainParameters();
        adam.ZeroGradients();
    }

    private static void AssertSame(LanguageModel model, EagerModel twin, Func<Parameter, Tensor> select, double tolerance)
    {
        using var noGrad = no_grad();
        var theirs = twin.NamedParameters.ToDictionary(item => item.Name, item => item.Parameter, StringComparer.Ordinal);
        foreach (var (name, ours) in model.NamedParameters())
        {
            var expected = select(theirs[name]);
            var error = (select(ours) - expected).abs().max().item<double>() / expected.abs().max().item<double>();
            Assert.True(error < tolerance, $"{name}: {error}");
        }
    }

    private static EagerModel TwinOf(LanguageModel model)
    {
        var twin = EagerModel.Create(model.Config, CPU, model.Context.MasterDtype);
        twin.CopyFrom(model);
        return twin;
    }

    private static ModelConfig Small(string architecture)
    {
        return ArchitectureRegistry.CreateConfig(architecture, 17, 16, 2, 2, 12, intermediateSize: 24);
    }

    private static (Tensor Tokens, Tensor Targets) Batch()
        => (tensor(new long[,] { { 1, 2, 3, 4, 5, 6 }, { 7, 3, 16, 0, 2, 9 } }), tensor(new long[,] { { 2, 3, 4, 5, 6, 7 }, { 3, 16, 0, 2, 9, 4 } }));
}
