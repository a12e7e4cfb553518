using System.Runtime.InteropServices;

namespace AnTransformer.Cli;

/// <summary>Turns Ctrl-C and SIGTERM into a request to finish the step and save; a second one ends the process at once.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations;

    public StopSignal()
        => _registrations = new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)).ToList();

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
            return;     // not cancelled: the default action ends the process
        context.Cancel = true;
        Console.Error.WriteLine("angpt: stopping after this step; once more to stop at once.");
        _source.Cancel();
    }
}
