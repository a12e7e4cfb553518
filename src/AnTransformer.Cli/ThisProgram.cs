using System.Diagnostics;
using System.Reflection;

namespace AnTransformer.Cli;

/// <summary>Starts this program again, in a process of its own.</summary>
internal static class ThisProgram
{
    /// <summary>
    /// How to start it with arguments: as an executable of its own, or as an assembly that <c>dotnet</c> runs.
    /// </summary>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        var executable = Environment.ProcessPath ?? "dotnet";
        var start = new ProcessStartInfo(executable)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(executable) == "dotnet")
            start.ArgumentList.Add(Assembly.GetExecutingAssembly().Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>The command line that it was started with, as one would type it.</summary>
    public static string CommandLine()
        => string.Join(' ', Environment.GetCommandLineArgs().Skip(1).Prepend("angpt").Select(Quote));

    private static string Quote(string argument)
        => argument.Length > 0
            && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./=+,:".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
