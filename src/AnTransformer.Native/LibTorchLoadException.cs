namespace AnTransformer.Native;

/// <summary>
/// LibTorch cannot be loaded in this process. The message names the cause (a missing package or folder, an unresolved
/// symbol version, a wrong architecture) and the remedy; command lines print it alone and exit with code 2.
/// </summary>
public sealed class LibTorchLoadException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What is missing, and what to do about it.</param>
    public LibTorchLoadException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the error behind it.</summary>
    /// <param name="message">What is missing, and what to do about it.</param>
    /// <param name="innerException">The error behind it.</param>
    public LibTorchLoadException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
