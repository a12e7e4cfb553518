using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Runs backward passes of models: gradients are added to flat buffers in place, and what goes wrong in a fused
/// operator is reported as what it was. <see cref="Tensor.backward()"/> gives the same gradients, with a pass over
/// memory more.
/// </summary>
public static class BackwardPass
{
    // Not per thread: gradients of CUDA tensors are computed on a thread of LibTorch's.
    private static int s_running;

    /// <summary>Whether a pass is under way that wants the gradients of all parameters.</summary>
    internal static bool IsRunning => Volatile.Read(ref s_running) > 0;

    /// <summary>
    /// Computes the gradients of all parameters behind a loss and adds them to the parameters' own. Not to be called
    /// for one model on several threads at once, nor while another thread asks for the gradients of only some of its
    /// parameters.
    /// </summary>
    /// <param name="loss">A scalar.</param>
    /// <exception cref="ExternalException">LibTorch cannot run the pass.</exception>
    /// <exception cref="InvalidOperationException">The graph has been run before.</exception>
    public static void Run(Tensor loss)
    {
        _ = AutogradNode.TakeFailure();     // of an earlier pass that nobody asked about
        Interlocked.Increment(ref s_running);
        try
        {
            loss.backward();
        }
        catch (ExternalException)
        {
            AutogradNode.TakeFailure()?.Throw();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref s_running);
        }
    }
}
