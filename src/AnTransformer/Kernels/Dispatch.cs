namespace AnTransformer.Kernels;

/// <summary>What is computed in one of several ways.</summary>
internal enum Operation
{
    /// <summary>Rows of the token table.</summary>
    Embedding,

    /// <summary>A linear map with what comes before and after it.</summary>
    Linear,

    /// <summary>A matrix product inside another operation on the CPU kernels.</summary>
    MatrixProduct,

    /// <summary>
    /// Attention from projected queries, keys and values on; on a CUDA device its softmax is LibTorch's.
    /// </summary>
    Attention,

    /// <summary>Softmax attention of the heads on the CPU kernels.</summary>
    AttentionHead,

    /// <summary>nGPT's residual update.</summary>
    SphereUpdate,

    /// <summary>Head and mean cross-entropy.</summary>
    Loss,

    /// <summary>Head and cross-entropy of each token.</summary>
    TokenLosses,

    /// <summary>The step of all parameters that a rule updates number by number.</summary>
    Update,

    /// <summary>The norm of all gradients.</summary>
    GradientNorm,

    /// <summary>A step of one matrix, its largest singular value cut.</summary>
    SpectralClipping,

    /// <summary>Muon's orthogonalization of one matrix.</summary>
    Orthogonalization,

    /// <summary>The gradient of parameters that lie next to each other.</summary>
    ParameterGradient,
}

/// <summary>How it is computed.</summary>
internal enum DispatchPath
{
    /// <summary>By the fused kernels on the CPU.</summary>
    Fused,

    /// <summary>By the fused kernels of a CUDA device.</summary>
    Cuda,

    /// <summary>By LibTorch's operators.</summary>
    Eager,

    /// <summary>By matrix products of our own.</summary>
    Own,

    /// <summary>By the matrix products of LibTorch's BLAS.</summary>
    Blas,

    /// <summary>Added where gradients lie.</summary>
    InPlace,

    /// <summary>In memory of its own, for the graph to add.</summary>
    Fresh,
}

/// <summary>
/// Tells a listener which way each operation takes. All ways give the same results up to rounding, so that nothing else
/// notices when a fast one is not taken any more. Without a listener it costs a comparison.
/// </summary>
internal static class Dispatch
{
    private static int s_listeners;

    [ThreadStatic]
    private static Action<Operation, DispatchPath>? t_listener;

    /// <summary>Says which way an operation takes.</summary>
    public static void Record(Operation operation, DispatchPath path)
    {
        if (Volatile.Read(ref s_listeners) != 0)
            t_listener?.Invoke(operation, path);
    }

    /// <summary>Tells a listener of everything that this thread starts until the result is disposed.</summary>
    public static IDisposable Listen(Action<Operation, DispatchPath> listener) => new Listening(listener);

    private sealed class Listening : IDisposable
    {
        private readonly Action<Operation, DispatchPath>? _previous = t_listener;

        public Listening(Action<Operation, DispatchPath> listener)
        {
            t_listener = listener;
            Interlocked.Increment(ref s_listeners);
        }

        public void Dispose()
        {
            t_listener = _previous;
            Interlocked.Decrement(ref s_listeners);
        }
    }
}
