using System.Diagnostics.CodeAnalysis;
using AnTransformer.Native;

namespace AnTransformer.Cli;

/// <summary>
/// Loads LibTorch, which takes a third of a second, on a thread beside a command that will need it.
/// </summary>
internal sealed class LibTorchLoading : IDisposable
{
    private readonly Thread _thread;

    /// <summary>Begins.</summary>
    public LibTorchLoading()
    {
        _thread = new Thread(TryLoad) { IsBackground = true, Name = "loading LibTorch" };
        _thread.Start();
    }

    /// <summary>Waits for its end: a process must not end while a library is being loaded.</summary>
    public void Dispose() => _thread.Join();

    [SuppressMessage("Design", "CA1031", Justification = "What is wrong is said where LibTorch is used.")]
    private static void TryLoad()
    {
        try
        {
            LibTorch.EnsureLoaded();
        }
        catch (Exception)
        {
            // See above.
        }
    }
}
