using System.Diagnostics;
using AnTransformer.Native;

namespace AnTransformer.Tests.Native;

/// <summary>What LibTorch's OpenMP runtime itself says it has read, in processes of their own: it reads its environment once.</summary>
public sealed class OpenMpWaitingTests
{
    [Fact]
    public void Waiting_threads_spin_for_a_moderate_time_by_default()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "GNU's OpenMP runtime.");
        Assert.Equal(OpenMpWaiting.Spins, SpinCount());
    }

    [Fact]
    public void What_the_user_has_set_wins()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "GNU's OpenMP runtime.");
        Assert.Equal(77, SpinCount((OpenMpWaiting.SpinCount, "77")));
        Assert.Equal(0, SpinCount((OpenMpWaiting.WaitPolicy, "passive")));
        Assert.True(SpinCount((OpenMpWaiting.WaitPolicy, "active")) > 1_000_000);
    }

    private static long SpinCount(params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove(OpenMpWaiting.SpinCount);
        start.Environment.Remove(OpenMpWaiting.WaitPolicy);
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        start.Environment["OMP_DISPLAY_ENV"] = "verbose";
        start.Environment[LibTorchProbe.Switch] = "--ensure";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error + output.Result);
        // [host] GOMP_SPINCOUNT = '2000'
        var line = error.Split('\n').Single(text => text.Contains(OpenMpWaiting.SpinCount, StringComparison.Ordinal));
        return long.Parse(line.Split('\'')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
