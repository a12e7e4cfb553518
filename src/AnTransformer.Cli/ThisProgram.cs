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
        var words = Words();
        var start = new ProcessStartInfo(words[0])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in words.Skip(1).Concat(arguments))
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>The program, and the assembly where <c>dotnet</c> runs one.</summary>
    public static IReadOnlyList<string> Words()
    {
        var executable = Environment.ProcessPath ?? "dotnet";
        return Path.GetFileNameWithoutExtension(executable) == "dotnet"
            ? [executable, Assembly.GetExecutingAssembly().Location]
            : [executable];
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
