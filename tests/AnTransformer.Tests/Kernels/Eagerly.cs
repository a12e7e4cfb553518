using AnTransformer.Kernels;

namespace AnTransformer.Tests.Kernels;

/// <summary>Runs on LibTorch's operators what this thread would run on fused kernels; other threads, and so other tests, are not concerned.</summary>
internal static class Eagerly
{
    public static void Run(Action action) => Run(() =>
    {
        action();
        return 0;
    });

    public static T Run<T>(Func<T> function)
    {
        FusedKernels.BeEager(true);
        try
        {
            return function();
        }
        finally
        {
            FusedKernels.BeEager(false);
        }
    }
}
