using System.Runtime.InteropServices;

namespace AnTransformer.Cli;

/// <summary>
/// Turns Ctrl-C and SIGTERM into a request to finish the step and save; a second one ends the process at once. A supervised process leaves
/// Ctrl-C, which reaches the whole terminal, to the process that started it, and takes the end of its standard input for the request: it
/// comes even when that process is killed.
/// </summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly bool _isSupervised;
    private readonly string _saying;
    private readonly List<PosixSignalRegistration> _registrations;

    /// <param name="supervised">Whether another process says when to stop.</param>
    /// <param name="saying">What the first signal is answered with.</param>
    public StopSignal(bool supervised = false, string saying = "stopping after this step")
    {
        _saying = saying;
        _isSupervised = supervised;
        _registrations = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)).ToList();
        if (supervised)
            new Thread(WaitForEndOfInput) { IsBackground = true }.Start();
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_isSupervised && context.Signal == PosixSignal.SIGINT)
        {
            context.Cancel = true;
            return;
        }

        if (_source.IsCancellationRequested)
            return;     // not cancelled: the default action ends the process
        context.Cancel = true;
        Console.Error.WriteLine($"angpt: {_saying}; once more to stop at once.");
        _source.Cancel();
    }

    private void WaitForEndOfInput()
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
            // Nothing is said here; only the end counts.
        }

        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work was done before.
        }
    }
}
