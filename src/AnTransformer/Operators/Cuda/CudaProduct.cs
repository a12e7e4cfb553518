using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>Matrix products with a constant factor, which costs nothing as the product's own.</summary>
internal static class CudaProduct
{
    /// <summary>factor · a b.</summary>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="factor">The factor.</param>
    public static Tensor Of(Tensor a, Tensor b, double factor)
    {
        if (factor == 1)
            return a.mm(b);
        using var nothing = empty([1], dtype: a.dtype, device: a.device);
        return nothing.addmm(a, b, beta: 0, alpha: (float)factor);
    }

    /// <summary>Adds factor · a b to an fp32 matrix.</summary>
    /// <param name="sum">[m, n].</param>
    /// <param name="a">[m, k].</param>
    /// <param name="b">[k, n].</param>
    /// <param name="factor">The factor.</param>
    public static void AddTo(Tensor sum, Tensor a, Tensor b, double factor)
    {
        if (a.dtype == sum.dtype)
        {
            sum.addmm_(a, b, beta: 1, alpha: (float)factor);
            return;
        }

        using var product = Of(a, b, factor);
        sum.add_(product);
    }
}
