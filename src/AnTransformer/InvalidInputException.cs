namespace AnTransformer;

/// <summary>
/// Something a user gave (a file, a configuration value, an argument) cannot be used. The message is one sentence that
/// names the file, the place in it and the remedy; command lines print it alone and exit with code 2. It is one line
/// without control characters, whatever it quotes.
/// </summary>
public sealed class InvalidInputException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">One sentence: what is wrong, where, and what to do about it.</param>
    public InvalidInputException(string message)
        : base(Printable.Line(message))
    {
    }

    /// <summary>Creates the exception with the error behind it.</summary>
    /// <param name="message">One sentence: what is wrong, where, and what to do about it.</param>
    /// <param name="innerException">The error that made the input unusable.</param>
    public InvalidInputException(string message, Exception innerException)
        : base(Printable.Line(message), innerException)
    {
    }

    /// <summary>Whether another process is at work on what was asked for, so that waiting helps.</summary>
    public bool IsBusy { get; init; }
}
