using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AnTransformer.Package.Tests;

/// <summary>
/// A temporary folder with a feed of freshly made packages, and with everything that the .NET command line would leave in a user's home
/// directory. The repository's own bin and obj folders stay as they are.
/// </summary>
public sealed class Workshop : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("angpt-package-").FullName;

    public Workshop()
    {
        Directory.CreateDirectory(Feed);
        // Packages of others come from those that building the repository has restored: no network, and no copy of LibTorch.
        File.WriteAllText(
            In("NuGet.config"),
            $"""
            <configuration>
              <packageSources><clear /><add key="local" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="restored" value="{RestoredPackages()}" /></fallbackPackageFolders>
              <auditSources><clear /></auditSources>
            </configuration>
            """);
    }

    public static string Repository { get; } = FindRepository();

    /// <summary>The platform that packages are made and tried for: that of the .NET that runs this.</summary>
    public static string Runtime { get; } = RuntimeInformation.RuntimeIdentifier;

    public string Feed => In("feed");

    public string In(params string[] parts) => Path.Combine([_root, .. parts]);

    /// <summary>Packs a project of the repository into the feed.</summary>
    public void Pack(string project, params string[] options)
        => Run(
            Repository, isIsolated: false, "dotnet",
            ["pack", "-c", "Release", Path.Combine("src", project), "--artifacts-path", In("artifacts"), "-o", Feed, .. options]).AssertSucceeded();

    /// <summary>Runs a program that sees neither the user's packages nor the user's settings.</summary>
    public Result Run(string program, params string[] arguments) => Run(_root, isIsolated: true, program, arguments);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Result Run(string folder, bool isIsolated, string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        // Set for the processes of a test platform, of which these are none.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        if (isIsolated)
        {
            start.Environment["NUGET_PACKAGES"] = In("packages");
            start.Environment["NUGET_HTTP_CACHE_PATH"] = In("http-cache");
            start.Environment["DOTNET_CLI_HOME"] = In("home");
            start.Environment.Remove("ANTRANSFORMER_LIBTORCH");
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result($"{program} {string.Join(' ', arguments)}", process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    private static string RestoredPackages()
        => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("These tests run inside a clone of the repository.");
        return folder;
    }

    public sealed record Result(string Command, int ExitCode, string Output, string Error)
    {
        public Result AssertSucceeded()
        {
            Assert.True(ExitCode == 0, $"{Command}: exit code {ExitCode}\n{Error}{Output}");
            return this;
        }
    }
}
