using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>Runs backward passes and reports what went wrong in fused operators as what it was.</summary>
public static class BackwardPass
{
    /// <summary>
    /// <see cref="Tensor.backward()"/>, but an exception inside a fused operator is thrown as itself rather than as LibTorch's
    /// complaint about a node without gradients.
    /// </summary>
    /// <param name="loss">A scalar.</param>
    public static void Run(Tensor loss)
    {
        try
        {
            loss.backward();
        }
        catch (ExternalException)
        {
            AutogradNode.TakeFailure()?.Throw();
            throw;
        }
    }
}
