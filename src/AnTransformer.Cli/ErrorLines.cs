namespace AnTransformer.Cli;

/// <summary>What is said on standard error beside progress. Each message is one line, whatever it quotes.</summary>
internal static class ErrorLines
{
    /// <summary>Says why the command ends as it does.</summary>
    public static void Write(string message) => Console.Error.WriteLine("angpt: " + Printable.Line(message));

    /// <summary>Says what deserves attention; the command goes on.</summary>
    public static void Warn(string message) => Console.Error.WriteLine("angpt: warning: " + Printable.Line(message));
}
