using System.Runtime.Intrinsics;
using AnTransformer.Architectures;
using AnTransformer.Generation;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Tests.Kernels;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>
/// Which kernels compute what, for each architecture: all of them give the same results, so that no other test fails when a fast one is
/// not taken any more. Runs alone, since it chooses whose matrix products all threads use.
/// </summary>
[Collection(ProcessWideCollection.Name)]
public sealed class DispatchTests : IDisposable
{
    private const int Layers = 2;
    private const int Length = 36;      // of a sequence: more rows than those for which LibTorch's operators are cheaper
    private readonly ProductChoice _choice = Gemm.Choice;

    public static TheoryData<string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, bool>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                cases.Add(architecture, true);
                cases.Add(architecture, false);
            }

            return cases;
        }
    }

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_training_step_runs_on_fused_kernels(string architecture, bool usesOwn)
    {
        Gemm.Choice = usesOwn ? ProductChoice.Own : ProductChoice.Blas;
        using var model = Create(architecture, ScalarType.Float32);
        using var adam = new Optimizer(model, new OptimizerSettings());
        DispatchLog.AssertRuns(
            () => Step(model, adam),
            [
                .. Stream(architecture, "Fused", usesOwn), "Loss Fused 1", "GradientNorm Fused 1", "Update Fused 1",
                "ParameterGradient InPlace",
                $"ParameterGradient Fresh {(architecture == "ngpt" ? Layers : 0)}",     // of s_g and s_u, 2f floats that lie apart
            ]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Clipped_steps_and_those_of_Muon_run_on_fused_kernels(string architecture, bool usesOwn)
    {
        Gemm.Choice = usesOwn ? ProductChoice.Own : ProductChoice.Blas;
        using var model = Create(architecture, ScalarType.Float32);
        using var clipped = new Optimizer(model, new OptimizerSettings { SpectralClip = 1 });
        using var muon = new Optimizer(model, new OptimizerSettings { Rule = new MuonRule(5) });
        Step(model, clipped);
        DispatchLog.AssertRuns(() => clipped.Update(1e-3), $"SpectralClipping Fused {(7 * Layers) + 2}", "Update Fused 1");
        Step(model, clipped);
        DispatchLog.AssertRuns(() => muon.Update(1e-3), $"Orthogonalization Fused {7 * Layers}", Product(usesOwn), "Update Fused 1");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Evaluation_runs_on_fused_kernels(string architecture, bool usesOwn)
    {
        Gemm.Choice = usesOwn ? ProductChoice.Own : ProductChoice.Blas;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = Create(architecture, ScalarType.Float32);
        var (tokens, targets) = FusedModelTests.Batch(1, Length);
        DispatchLog.AssertRuns(() => model.TokenLosses(tokens, targets), [.. Stream(architecture, "Fused", usesOwn), "TokenLosses Fused 1"]);
        DispatchLog.AssertRuns(() => model.Loss(tokens, targets), [.. Stream(architecture, "Fused", usesOwn), "Loss Fused 1"]);
        DispatchLog.AssertRuns(() => model.forward(tokens), Stream(architecture, "Fused", usesOwn, head: 1));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Generation_reads_a_prompt_by_kernels_and_draws_single_tokens_by_LibTorchs_operators(string architecture, bool usesOwn)
    {
        Gemm.Choice = usesOwn ? ProductChoice.Own : ProductChoice.Blas;
        using var model = Create(architecture, ScalarType.Float32);
        var prompt = Enumerable.Range(1, Length).ToArray();
        var updates = architecture == "ngpt" ? 2 * Layers : 0;
        var linear = (4 * Layers) + 1;
        DispatchLog.AssertRuns(
            () => Draw(useCache: true),
            "Embedding Fused 3", $"Linear Fused {linear}", $"Linear Eager {2 * linear}", $"Attention Eager {3 * Layers}",
            $"SphereUpdate Fused {3 * updates}", Product(usesOwn));
        DispatchLog.AssertRuns(
            () => Draw(useCache: false),
            "Embedding Fused 3", $"Linear Fused {3 * linear}", $"Attention Fused {3 * Layers}", Head(usesOwn, 3 * Layers),
            $"SphereUpdate Fused {3 * updates}", Product(usesOwn));

        void Draw(bool useCache) => Assert.Equal(3, new TextGenerator(model, useCache).Generate(prompt, 3, new SamplingOptions()).Count());
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Without_kernels_everything_runs_on_LibTorchs_operators(string architecture)
    {
        List<string> expected =
        [
            .. Stream(architecture, "Eager", usesOwn: null, head: 1), "Loss Eager 1", "GradientNorm Eager 1", "Update Eager 1",
            $"SpectralClipping Eager {(7 * Layers) + 2}",
        ];
        Eagerly.Run(AssertEager);
        FusedKernels.Enabled = false;
        try
        {
            AssertEager();
        }
        finally
        {
            FusedKernels.Enabled = true;
        }

        void AssertEager()
        {
            using var model = Create(architecture, ScalarType.Float32);
            using var adam = new Optimizer(model, new OptimizerSettings { SpectralClip = 1 });
            DispatchLog.AssertRuns(() => Step(model, adam), expected);
        }
    }

    /// <summary>A model's backend is chosen when it is made: its graph never is half the one way and half the other.</summary>
    [Fact]
    public void A_model_keeps_to_the_kernels_that_it_was_made_with()
    {
        Gemm.Choice = ProductChoice.Own;
        using var noGrad = no_grad();
        using var fused = Create("ngpt", ScalarType.Float32);
        var (tokens, targets) = FusedModelTests.Batch(1, Length);
        Eagerly.Run(() =>
        {
            using var eager = Create("ngpt", ScalarType.Float32);
            DispatchLog.AssertRuns(() => fused.Loss(tokens, targets), [.. Stream("ngpt", "Fused", true), "Loss Fused 1"]);
            DispatchLog.AssertRuns(() => eager.Loss(tokens, targets), [.. Stream("ngpt", "Eager", null, head: 1), "Loss Eager 1"]);
        });
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Products_in_bf16_run_on_LibTorchs_operators_and_what_is_fp32_on_kernels(string architecture)
    {
        using var model = Create(architecture, ScalarType.BFloat16);
        using var adam = new Optimizer(model, new OptimizerSettings());
        DispatchLog.AssertRuns(
            () => Step(model, adam),
            [
                .. Stream(architecture, "Eager", usesOwn: null, head: 1).Where(line => !line.StartsWith("Embedding", StringComparison.Ordinal)),
                "Embedding Fused 1", "ParameterGradient InPlace", "Loss Eager 1", "GradientNorm Fused 1", "Update Fused 1",
            ]);
    }

    [Fact]
    public void Kernels_use_the_widest_vectors_of_the_processor_and_its_faster_products()
    {
        var (kernels, product, head) = Vector512.IsHardwareAccelerated
            ? (typeof(CpuKernels<Simd512>), typeof(BlockedGemm<Simd512>), typeof(TiledAttentionHead<Simd512>))
            : Vector256.IsHardwareAccelerated
            ? (typeof(CpuKernels<Simd256>), typeof(BlockedGemm<Simd256>), typeof(TiledAttentionHead<Simd256>))
            : (typeof(CpuKernels<Simd128>), typeof(BlockedGemm<Simd128>), typeof(TiledAttentionHead<Simd128>));
        Assert.IsType(kernels, CpuKernels.Instance);
        Assert.IsType(product, BlockedGemm.Instance);
        Gemm.Choice = ProductChoice.Own;
        Assert.IsType(head, AttentionHead.Instance);
        Gemm.Choice = ProductChoice.Blas;
        Assert.IsType<BlasAttentionHead>(AttentionHead.Instance);
        Assert.Equal(ProductChoice.Own, Gemm.Choose("OWN"));
        Assert.Equal(ProductChoice.Blas, Gemm.Choose("blas"));
        Assert.Contains("own, blas or auto", Assert.Throws<InvalidInputException>(() => Gemm.Choose("eigen")).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Gemm.Choice = _choice;

    /// <summary>What a pass up to the last block consists of, and the head where its logits are wanted.</summary>
    private static IEnumerable<string> Stream(string architecture, string path, bool? usesOwn, int head = 0)
    {
        yield return $"Embedding {path} 1";
        yield return $"Linear {path} {(4 * Layers) + head}";
        yield return $"Attention {path} {Layers}";
        yield return $"SphereUpdate {path} {(architecture == "ngpt" ? 2 * Layers : 0)}";
        if (usesOwn is not { } own)
            yield break;
        yield return Head(own, Layers);
        yield return Product(own);
    }

    private static string Head(bool usesOwn, int count) => $"AttentionHead {(usesOwn ? "Own" : "Blas")} {count}";

    private static string Product(bool usesOwn) => $"MatrixProduct {(usesOwn ? "Own" : "Blas")}";

    private static LanguageModel Create(string architecture, ScalarType compute)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 43, 48, 2, Layers, Length + 8, 100);
        var model = LanguageModel.Create(config, new ModelContext(CPU, ScalarType.Float32, compute));
        model.Initialize(seed: 5);
        return model;
    }

    private static void Step(LanguageModel model, Optimizer adam)
    {
        using var scope = NewDisposeScope();
        var (tokens, targets) = FusedModelTests.Batch(1, Length);
        BackwardPass.Run(model.Loss(tokens, targets));
        adam.Update(1e-3, Math.Min(1, 1 / adam.GradientNorm()));
    }
}
