using System.Diagnostics;
using System.Runtime.CompilerServices;
using AnTransformer.Checkpoints;

namespace AnTransformer.Tests.Checkpoints;

/// <summary>
/// This test executable, started again to replace a directory: over and over until it is killed, or once, killing itself at a given point.
/// </summary>
internal static class AtomicWriteProbe
{
    /// <summary>While files are written.</summary>
    public const string Filling = "filling";

    /// <summary>All is written, nothing renamed.</summary>
    public const string BeforeExchange = "before exchange";

    /// <summary>The names are exchanged, the earlier version is there under the temporary one.</summary>
    public const string AfterExchange = "after exchange";

    /// <summary>Without an exchange: the earlier version has made way, the new one has not got its name.</summary>
    public const string BetweenRenames = "between renames";

    private const string Switch = "ANTRANSFORMER_TEST_WRITE";
    private const string KillPoint = "ANTRANSFORMER_TEST_KILL";

    public static Process Start(string directory, string? killAt = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardOutput = true };
        start.Environment[Switch] = directory;
        start.Environment[KillPoint] = killAt;
        // The runtime's diagnostic sockets would outlive a process that is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start)!;
    }

    [ModuleInitializer]
    internal static void Run()
    {
        if (Environment.GetEnvironmentVariable(Switch) is not { Length: > 0 } path)
            return;
        if (Environment.GetEnvironmentVariable(KillPoint) is { Length: > 0 } point)
            WriteAndDie(path, point);
        for (var i = 1; ; i++)
        {
            AtomicDirectory.Write(path, directory => Fill(directory, i), _ => null);
            Console.WriteLine(i);
        }
    }

    private static void WriteAndDie(string path, string point)
    {
        AtomicDirectory.Write(
            path,
            directory =>
            {
                DieAt(Filling);
                Fill(directory, 1);
            },
            place =>
            {
                if (place != path)
                    DieAt(BetweenRenames);
                return null;
            },
            (staged, target) =>
            {
                DieAt(BeforeExchange);
                var exchanged = point == AfterExchange && FileSystem.TryExchange(staged, target);
                DieAt(AfterExchange);
                return exchanged;
            });
        throw new InvalidOperationException($"There is no such point: {point}.");

        void DieAt(string here)
        {
            if (here != point)
                return;
            Process.GetCurrentProcess().Kill();
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private static void Fill(string directory, int number)
    {
        File.WriteAllText(Path.Combine(directory, "a"), $"{number}");
        Directory.CreateDirectory(Path.Combine(directory, "sub"));
        File.WriteAllText(Path.Combine(directory, "sub", "b"), $"{number}");
    }
}
