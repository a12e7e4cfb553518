using System.Runtime.CompilerServices;
using AnTransformer.Native;
using TorchSharp;

namespace AnTransformer.Tests.Native;

/// <summary>
/// A process loads LibTorch once, so tests of other ways to load it start this test executable again with an environment
/// variable that makes it compute something, print what it has mapped, and exit before any test runs.
/// </summary>
internal static class LibTorchProbe
{
    public const string Switch = "ANTRANSFORMER_TEST_PROBE";

    [ModuleInitializer]
    internal static void Start()
    {
        // Tests may use TorchSharp before anything of the library: run its module initializer first.
        RuntimeHelpers.RunModuleConstructor(typeof(LibTorch).Module.ModuleHandle);
        if (Environment.GetEnvironmentVariable(Switch) is { Length: > 0 } how)
            Environment.Exit(Run(ensure: how != "--no-ensure"));
    }

    private static int Run(bool ensure)
    {
        try
        {
            if (ensure)
                Console.WriteLine($"{LibTorch.EnsureLoaded()}");
            Compute();
            foreach (var path in File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).Distinct())
                Console.WriteLine($"mapped {path}");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"{e.GetBaseException().GetType().Name} {e.GetBaseException().Message}");
            return 3;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Compute()
    {
        using var x = torch.tensor(new float[] { 1, 2, 3 });
        Console.WriteLine($"sum {x.sum().item<float>()}");
    }
}
