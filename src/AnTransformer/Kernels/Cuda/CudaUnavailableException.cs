namespace AnTransformer.Kernels.Cuda;

/// <summary>The kernels cannot be had; the message says why. Never leaves <see cref="CudaKernels.TryGet"/>.</summary>
internal sealed class CudaUnavailableException : Exception
{
    public CudaUnavailableException()
    {
    }

    public CudaUnavailableException(string message)
        : base(message)
    {
    }

    public CudaUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
