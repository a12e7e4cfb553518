using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Operators;
using AnTransformer.Operators.Cuda;
using AnTransformer.Optimization;
using AnTransformer.Tests.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>
/// Whole models on the CUDA kernels, emulated on the CPU and on a GPU if there is one, compute what eager operators compute in fp64.
/// </summary>
[Collection(KernelEmulator.Collection)]
public sealed class CudaModelTests(KernelEmulator emulator) : IDisposable
{
    private const int Vocabulary = 19;
    private readonly long _logitsAtOnce = CudaCrossEntropy.LogitsAtOnce;

    // Those with CUDA kernels of their own; the others run on LibTorch's operators there.
    private static readonly string[] WithKernels = ["gpt", "gpt+", "ngpt", "angpt"];

    public static TheoryData<string, bool, bool> Variants
    {
        get
        {
            var variants = new TheoryData<string, bool, bool>();
            foreach (var architecture in WithKernels)
            {
                foreach (var queryKeyNorm in new[] { true, false })
                {
                    variants.Add(architecture, queryKeyNorm, false);
                    variants.Add(architecture, queryKeyNorm, true);
                }
            }

            return variants;
        }
    }

    public static TheoryData<string, string, bool> ShapedVariants
    {
        get
        {
            var variants = new TheoryData<string, string, bool>();
            foreach (var architecture in WithKernels)
            {
                foreach (var shape in Shapes.All.Keys)
                {
                    variants.Add(architecture, shape, false);
                    variants.Add(architecture, shape, true);
                }
            }

            return variants;
        }
    }

    [Theory]
    [MemberData(nameof(ShapedVariants))]
    public void Other_shapes_agree_on_kernels_where_these_know_them(string architecture, string shape, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            using var model = Create(architecture, queryKeyNorm: true, device, inBFloat, Shapes.All[shape]);
            using var reference = Reference(model);
            if (!inBFloat)      // in which heads of two channels have gradients that are mostly rounding
            {
                AssertLossAndGradients(model, reference);       // gradients are made
                AssertLossAndGradients(model, reference);       // and added to
                using var optimizer = new Optimizer(model, new OptimizerSettings());
                reference.zero_grad();
                AssertLossAndGradients(model, reference);
                AssertLossAndGradients(model, reference);
            }

            var (tokens, _) = Batch(device.Device);
            using var noGrad = no_grad();
            var known = model.Config.Attention.GroupSize == 1;
            DispatchLog.AssertRuns(
                () => model.forward(tokens),
                "Embedding Eager 1", "Linear Cuda 9", $"Attention {(known ? "Cuda" : "Eager")} 2",
                $"SphereUpdate Cuda {(architecture == "ngpt" ? 4 : 0)}");
            var expected = reference.forward(tokens.cpu());
            AssertNear(expected, model.forward(tokens), Tolerance(model), "logits");
            if (!model.Config.IsCausal)
                return;
            using var cache = new KeyValueCache(model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings);
            foreach (var (start, end) in new[] { (0, 3), (3, 4), (4, 6) })
            {
                var logits = model.forward(tokens[.., start..end], cache);
                AssertNear(expected[.., start..end], logits, Tolerance(model), $"{start} to {end}");
            }
        });

    [Theory]
    [MemberData(nameof(Variants))]
    public void Loss_and_every_gradient_agree(string architecture, bool queryKeyNorm, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            CudaCrossEntropy.LogitsAtOnce = 5 * Vocabulary;     // 5, 5 and 2 tokens
            using var model = Create(architecture, queryKeyNorm, device, inBFloat);
            using var reference = Reference(model);
            AssertLossAndGradients(model, reference);
            AssertLossAndGradients(model, reference);       // added to the first

            // Gradients of an optimizer are added to where they lie.
            using var adam = new Optimizer(model, new OptimizerSettings());
            reference.zero_grad();
            AssertLossAndGradients(model, reference);
            AssertLossAndGradients(model, reference);
            Assert.Equal(Expected(architecture), device.Launched.Order(StringComparer.Ordinal));
        });

    [Theory]
    [MemberData(nameof(Variants))]
    public void Steps_agree(string architecture, bool queryKeyNorm, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            using var model = Create(architecture, queryKeyNorm, device, inBFloat);
            using var reference = Reference(model);
            var options = new OptimizerSettings { WeightDecay = architecture is "gpt" or "gpt+" ? 0.1 : 0 };
            using var adam = new Optimizer(model, options);
            using var referenceAdam = new Optimizer(reference, options);
            for (var step = 0; step < 3; step++)
            {
                AssertLossAndGradients(model, reference);

                // Adam's step is about g / |g|: where g is rounding noise, so is its sign. Hence the same gradients for both.
                using (no_grad())
                {
                    foreach (var (ours, theirs) in Pairs(model, reference))
                        theirs.Parameter.grad!.copy_(ours.Parameter.grad!);
                }

                Assert.Equal(1, adam.GradientNorm() / referenceAdam.GradientNorm(), 1e-6);
                adam.Update(learningRate: 0.01, gradientFactor: 0.7);
                referenceAdam.Update(learningRate: 0.01, gradientFactor: 0.7);
                foreach (var (ours, theirs) in Pairs(model, reference))
                {
                    AssertNear(theirs.Parameter, ours.Parameter, 2e-6, ours.Name);
                    Assert.Equal(0, ours.Parameter.grad!.abs().max().item<float>());
                }
            }

            Assert.Contains("adam_update", device.Launched);
            Assert.Contains("square_sum", device.Launched);
        });

    [Theory]
    [MemberData(nameof(Variants))]
    public void Losses_of_tokens_and_cached_logits_agree(string architecture, bool queryKeyNorm, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            CudaCrossEntropy.LogitsAtOnce = 7 * Vocabulary;
            using var noGrad = no_grad();
            using var model = Create(architecture, queryKeyNorm, device, inBFloat);
            using var reference = Reference(model);
            var (tokens, targets) = Batch(CPU);
            var (tokensThere, targetsThere) = Batch(device.Device);
            var tolerance = Tolerance(model);
            AssertNear(reference.TokenLosses(tokens, targets), model.TokenLosses(tokensThere, targetsThere), tolerance, "losses");
            Assert.Contains("cross_entropy", device.Launched);
            var expected = reference.forward(tokens);
            AssertNear(expected, model.forward(tokensThere), tolerance, "logits");
            using var cache = new KeyValueCache(model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings);
            foreach (var (start, end) in new[] { (0, 3), (3, 4), (4, 6) })
                AssertNear(expected[.., start..end], model.forward(tokensThere[.., start..end], cache), tolerance, $"{start} to {end}");
        });

    [Theory]
    [MemberData(nameof(Variants))]
    public void Steps_and_evaluation_run_on_the_devices_kernels(string architecture, bool queryKeyNorm, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            const int layers = 2;
            using var model = Create(architecture, queryKeyNorm, device, inBFloat);
            using var adam = new Optimizer(model, new OptimizerSettings());
            var (tokens, targets) = Batch(device.Device);
            string[] stream =
            [
                "Embedding Eager 1", $"Linear Cuda {4 * layers}", $"Attention Cuda {layers}",
                $"SphereUpdate Cuda {(architecture == "ngpt" ? 2 * layers : 0)}",
            ];

            // On a GPU backward passes run on a thread of LibTorch's, which is not listened to.
            string[] gradients = device.Device.type == DeviceType.CPU ? ["ParameterGradient InPlace"] : [];
            DispatchLog.AssertRuns(
                () =>
                {
                    BackwardPass.Run(model.Loss(tokens, targets));
                    adam.Update(1e-3, Math.Min(1, 1 / adam.GradientNorm()));
                },
                [.. stream, "Loss Cuda 1", .. gradients, "GradientNorm Cuda 1", "Update Cuda 1"]);
            using var noGrad = no_grad();
            DispatchLog.AssertRuns(() => model.TokenLosses(tokens, targets), [.. stream, "TokenLosses Cuda 1"]);
        });

    [Fact]
    public void Steps_keep_no_tensors() => CountingDevice.ForEach(emulator, device =>
    {
        foreach (var architecture in WithKernels)
        {
            using var model = Create(architecture, queryKeyNorm: true, device, inBFloat: true);
            using var adam = new Optimizer(model, new OptimizerSettings());
            var (tokens, targets) = Batch(device.Device);
            Step();
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (var step = 0; step < 3; step++)
                Step();

            // On a GPU backward passes run, and dispose, on a thread of LibTorch's.
            if (device.Device.type == DeviceType.CPU)
                Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

            void Step()
            {
                using var scope = NewDisposeScope();
                BackwardPass.Run(model.Loss(tokens, targets));
                adam.Update(1e-3, Math.Min(1, 1 / adam.GradientNorm()));
            }
        }
    });

    [Fact]
    public void Targets_that_count_for_nothing_are_left_out() => CountingDevice.ForEach(emulator, device =>
    {
        using var model = Create("gpt+", queryKeyNorm: true, device, inBFloat: false);
        using var reference = Reference(model);
        var (tokens, targets) = Batch(CPU);
        targets[0, 2] = targets[1, 5] = tensor(-100L);
        var loss = model.Loss(tokens.to(device.Device), targets.to(device.Device));
        Assert.Equal(reference.Loss(tokens, targets).item<double>(), loss.item<float>(), 1e-5);
        targets[0, 3] = tensor((long)Vocabulary);
        Assert.True(float.IsNaN(model.Loss(tokens.to(device.Device), targets.to(device.Device)).item<float>()));
    });

    [Theory]
    [MemberData(nameof(Variants))]
    public void Loss_and_every_gradient_of_a_masked_model_agree(string architecture, bool queryKeyNorm, bool inBFloat)
        => CountingDevice.ForEach(emulator, device =>
        {
            using var model = Create(
                architecture, queryKeyNorm, device, inBFloat,
                config => config with { IsCausal = false, Masking = new TokenMasking(Vocabulary - 1) });
            using var reference = Reference(model);
            AssertLossAndGradients(model, reference);
            using var optimizer = new Optimizer(model, new OptimizerSettings());
            reference.zero_grad();
            AssertLossAndGradients(model, reference);
            Assert.Contains("cross_entropy", device.Launched);
        });

    public void Dispose() => CudaCrossEntropy.LogitsAtOnce = _logitsAtOnce;

    private static LanguageModel Create(
        string architecture, bool queryKeyNorm, CountingDevice device, bool inBFloat, Func<ModelConfig,
        ModelConfig>? change = null)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, Vocabulary, 24, 2, 2, 12, intermediateSize: 40) with
        {
            QkNorm = queryKeyNorm,
            RmsNormEps = 1e-3,
            Alpha = new ScaleInit(0.3, 0.7),
            LogitScale = new ScaleInit(2, 0.5),
            QkScale = new ScaleInit(1.5, 3),
            MlpScale = new ScaleInit(0.8, 1.2),
        };
        var compute = inBFloat ? ScalarType.BFloat16 : ScalarType.Float32;
        var context = new ModelContext(device.Device, ScalarType.Float32, compute);
        var model = LanguageModel.Create(change is null ? config : change(config), context);
        model.Initialize(seed: 1);

        // Gains and scales that differ, among them negative ones.
        using var noGrad = no_grad();
        using var generator = new Generator(2, CPU);
        foreach (var (_, parameter) in model.NamedParameters())
        {
            if (parameter.dim() == 1)
                parameter.mul_((randn(parameter.shape, generator: generator) + 0.5).to(device.Device));
        }

        return model;
    }

    /// <summary>The same weights in fp64 on the CPU, which no kernel takes.</summary>
    private static LanguageModel Reference(LanguageModel model)
    {
        var reference = LanguageModel.Create(model.Config, new ModelContext(CPU, ScalarType.Float64, ScalarType.Float64));
        using var noGrad = no_grad();
        foreach (var (ours, theirs) in Pairs(model, reference))
            theirs.Parameter.copy_(ours.Parameter);
        return reference;
    }

    private static void AssertLossAndGradients(LanguageModel model, LanguageModel reference)
    {
        var (tokens, targets) = Batch(CPU);
        if (model.Config.Masking is not null)
            targets = targets.where(targets.remainder(3) == 0, tensor(IgnoredTargets.Index));
        var expected = reference.Loss(tokens, targets);
        var loss = model.Loss(tokens.to(model.Context.Device), targets.to(model.Context.Device));
        Assert.Equal(ScalarType.Float32, loss.dtype);
        AssertNear(expected, loss, Tolerance(model), "loss");
        BackwardPass.Run(expected * 3);
        BackwardPass.Run(loss * 3);
        foreach (var (ours, theirs) in Pairs(model, reference))
        {
            Assert.Equal(ScalarType.Float32, ours.Parameter.grad!.dtype);
            AssertNear(theirs.Parameter.grad!, ours.Parameter.grad!, Tolerance(model), ours.Name);
        }
    }

    // Gradients of gains on heads of two channels cancel but for rounding; 1.2e-5 was seen on an H200.
    private static double Tolerance(LanguageModel model)
        => model.Context.ComputeDtype == ScalarType.BFloat16 ? 8e-2 : model.Config.Attention.HeadSize == 2 ? 3e-5 : 1e-5;

    /// <summary>‖actual − expected‖ ≤ tolerance · ‖expected‖.</summary>
    private static void AssertNear(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var error = (actual.cpu().to(ScalarType.Float64) - expected).norm().item<double>() / expected.norm().item<double>();
        Assert.True(error <= tolerance, $"{what}: {error}");
    }

    private static IEnumerable<((string Name, TorchSharp.Modules.Parameter Parameter) Ours, (string Name, TorchSharp.Modules.Parameter Parameter) Theirs)>
        Pairs(LanguageModel model, LanguageModel reference)
        => model.NamedParameters().Zip(reference.NamedParameters());

    private static IEnumerable<string> Expected(string architecture)
    {
        List<string> kernels = ["column_sum", "cross_entropy", "gated_backward", "gated_forward", "query_key_backward", "query_key_forward"];
        kernels.AddRange(architecture switch
        {
            "angpt" => ["residual_backward", "residual_forward"],
            "ngpt" => ["normalized_backward", "normalized_forward"],
            _ => ["rms_norm_backward", "rms_norm_forward"],
        });
        return kernels.Order(StringComparer.Ordinal);
    }

    private static (Tensor Tokens, Tensor Targets) Batch(Device device)
        => (tensor(new long[,] { { 1, 2, 3, 4, 5, 6 }, { 7, 3, 16, 0, 2, 9 } }, device: device),
            tensor(new long[,] { { 2, 3, 4, 5, 6, 7 }, { 3, 16, 0, 2, 9, 4 } }, device: device));
}
