using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>What the tests of the kernels share.</summary>
internal static class KernelAssert
{
    /// <summary>Equal up to rounding: of fp32 relative to the tensor's largest element, of bf16 relative to each element as well.</summary>
    public static void Close(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var reference = expected.detach();
        var error = (actual.to(ScalarType.Float64) - reference).abs();
        var largest = reference.abs().max().item<double>();
        var allowed = (reference.abs() * (actual.dtype == ScalarType.BFloat16 ? 1 / 250.0 : 1e-6)) + (3e-6 * largest) + 1e-12;
        // Written so that a NaN fails.
        Assert.True(
            error.le(allowed).all().item<bool>(),
            $"{actual.dtype} [{string.Join(", ", actual.shape)}]: error {error.max().item<double>():g3} of {largest:g3}");
    }

    /// <summary>Runs a test with the same numbers for both orders of threads, whose results must be equal.</summary>
    public static void InBothOrders(KernelEmulator emulator, int offset, ulong seed, Func<EmulatedDevice, Tensor[]> run)
    {
        emulator.RequireCompiler();
        using var scope = NewDisposeScope();
        var results = new List<Tensor[]>();
        foreach (var descending in new[] { false, true })
        {
            using var device = new EmulatedDevice(emulator, descending, offset, seed);
            results.Add(run(device));
            device.CheckMemory();
        }

        foreach (var (first, second) in results[0].Zip(results[1]))
            Assert.True(first.equal(second).all().item<bool>(), "The order of threads changes the result: a barrier is missing.");
    }
}
