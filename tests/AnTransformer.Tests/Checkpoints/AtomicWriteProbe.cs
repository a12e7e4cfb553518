using System.Diagnostics;
using System.Runtime.CompilerServices;
using AnTransformer.Checkpoints;

namespace AnTransformer.Tests.Checkpoints;

/// <summary>This test executable, started again to replace a directory over and over until it is killed.</summary>
internal static class AtomicWriteProbe
{
    private const string Switch = "ANTRANSFORMER_TEST_WRITE";

    public static Process Start(string directory)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment[Switch] = directory;
        // The runtime's diagnostic sockets would outlive a process that is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Switch) is not { Length: > 0 } path)
            return;
        for (var i = 1; ; i++)
        {
            AtomicDirectory.Write(path, directory =>
            {
                File.WriteAllText(Path.Combine(directory, "a"), $"{i}");
                Directory.CreateDirectory(Path.Combine(directory, "sub"));
                File.WriteAllText(Path.Combine(directory, "sub", "b"), $"{i}");
            });
            Console.WriteLine(i);
        }
    }
}
