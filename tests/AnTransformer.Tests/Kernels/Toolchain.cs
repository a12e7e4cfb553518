using System.Diagnostics;
using System.Text.RegularExpressions;

namespace AnTransformer.Tests.Kernels;

/// <summary>Compilers that may be installed.</summary>
internal static class Toolchain
{
    public static string? Clang { get; } = Find("clang");

    public static string? Cpp { get; } = Find("clang\\+\\+") ?? Find("g\\+\\+");

    /// <summary>Runs a program and fails the test with its words unless it succeeds.</summary>
    public static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{errors}{output.Result}");
    }

    // With or without a version, as Debian names them.
    private static string? Find(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateFiles)
            .FirstOrDefault(path => Regex.IsMatch(
                Path.GetFileName(path), $"^{name}(-[0-9]+)?$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture));
}
