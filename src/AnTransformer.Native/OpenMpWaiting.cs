using System.Runtime.InteropServices;

namespace AnTransformer.Native;

/// <summary>
/// Says how long threads of LibTorch's OpenMP runtime (GNU's libgomp) spin while they wait for work. Its own default,
/// 300 000 turns, is some milliseconds: alone on a machine nothing ever waits that long within a step, but beside
/// another busy process a thread that spins takes the very core that the thread it waits for needs. <see cref="Spins"/>
/// turns are some tens of microseconds, longer than the code between two kernels takes; then the thread sleeps and
/// gives its core away.
/// </summary>
internal static partial class OpenMpWaiting
{
    /// <summary>The variable that libgomp reads once, when it is loaded.</summary>
    public const string SpinCount = "GOMP_SPINCOUNT";

    /// <summary>The standard's variable: with <c>active</c> or <c>passive</c> the user has chosen.</summary>
    public const string WaitPolicy = "OMP_WAIT_POLICY";

    /// <summary>
    /// Turns of a waiting thread's loop, chosen by measurement (docs/performance.md, "Threads that wait").
    /// </summary>
    public const int Spins = 2_000;

    /// <summary>
    /// Sets the variable in the process's native environment, unless the user has set it or <see cref="WaitPolicy"/>.
    /// Without effect once libgomp is loaded. The environment that .NET shows, and that child processes inherit, stays
    /// as it is.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux() || Get(SpinCount) is not null || Get(WaitPolicy) is not null)
            return;
        _ = SetEnv(SpinCount, Spins.ToString(System.Globalization.CultureInfo.InvariantCulture), overwrite: 0);
    }

    /// <summary>
    /// A variable of the native environment, or null. .NET's own copy of it is not what native code reads.
    /// </summary>
    /// <param name="name">Its name.</param>
    public static string? Get(string name) => Marshal.PtrToStringUTF8(GetEnv(name));

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnv(string name);
}
