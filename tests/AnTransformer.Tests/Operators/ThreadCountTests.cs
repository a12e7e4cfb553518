using AnTransformer.Architectures;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Operators;

/// <summary>Results of our own products are the same to the bit for any number of threads. Runs alone: all tests share that number.</summary>
[Collection(ProcessWideCollection.Name)]
public sealed unsafe class ThreadCountTests : IDisposable
{
    private readonly ProductChoice _choice = Gemm.Choice;
    private readonly int _threads = get_num_threads();

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Architectures))]
    public void The_number_of_threads_changes_no_bit_of_a_gradient(string architecture)
    {
        using var scope = NewDisposeScope();
        using var model = FusedModelTests.Create(architecture, 48, 100, 70, queryKeyNorm: true);
        using var gradients = model.Store.Gradients();
        var (tokens, targets) = FusedModelTests.Batch(9, 70);
        AssertSame(() =>
        {
            gradients.zero_();
            BackwardPass.Run(model.Loss(tokens, targets));
            return gradients.clone();
        });
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit_of_a_product()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (randn(200, 300), randn(300, 170));
        AssertSame(() =>
        {
            var c = zeros(200, 170);
            BlockedGemm.Instance.Multiply(
                false, false, 200, 170, 300, 1, TensorMemory.Floats(a), 300, TensorMemory.Floats(b), 170, 0, TensorMemory.Floats(c), 170);
            return c;
        });
    }

    public void Dispose()
    {
        Gemm.Choice = _choice;
        set_num_threads(_threads);
    }

    private static void AssertSame(Func<Tensor> compute)
    {
        // The BLAS of some processors sums in an order that depends on the threads.
        Gemm.Choice = ProductChoice.Own;
        var results = new List<Tensor>();
        foreach (var count in new[] { 1, 2, 3 })
        {
            set_num_threads(count);
            results.Add(compute());
        }

        Assert.True(results[0].abs().max().item<float>() > 0);
        Assert.All(results, result => Assert.True(result.equal(results[0]).all().item<bool>()));
    }
}
