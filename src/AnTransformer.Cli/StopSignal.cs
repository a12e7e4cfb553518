using System.Runtime.InteropServices;

namespace AnTransformer.Cli;

/// <summary>
/// Turns Ctrl-C, SIGTERM and SIGHUP (a closed terminal, a lost connection) into a request to finish the step and save;
/// a second Ctrl-C or SIGTERM ends the process at once. A supervised process leaves Ctrl-C, which reaches the whole
/// terminal, to the process that started it, and takes the end of its standard input for the request: it comes even
/// when that process is killed.
/// </summary>
/// <remarks>
/// Under <c>nohup</c> SIGHUP stays ignored: the runtime installs no handler for a signal that was ignored at the start.
/// </remarks>
internal sealed class StopSignal : IDisposable
{
    /// <summary>
    /// SIGUSR1 on Linux, which launchers of jobs hand on to all processes; those take it for SIGTERM.
    /// </summary>
    public const int UserSignal = 10;

    private static readonly PosixSignal[] Signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
    private readonly CancellationTokenSource _source = new();
    private readonly string? _words;
    private readonly bool _isSupervised;
    private readonly List<PosixSignalRegistration> _registrations;
    private int _impatient;

    /// <param name="words">
    /// What the command does now, from <see cref="StopWords"/>; null where another process says so.
    /// </param>
    /// <param name="supervised">Whether another process decides when this one stops.</param>
    /// <param name="isJob">Whether it is one of several, which their launcher asks to stop.</param>
    public StopSignal(string? words, bool supervised = false, bool isJob = false)
    {
        _words = words;
        _isSupervised = supervised;
        var signals = isJob && OperatingSystem.IsLinux() ? [.. Signals, (PosixSignal)UserSignal] : Signals;
        _registrations = signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal)).ToList();
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

        // A terminal that closes sends SIGHUP more than once (the system and the shell), and a session that ends
        // SIGTERM besides.
        if (context.Signal != PosixSignal.SIGHUP && Interlocked.Increment(ref _impatient) > 1)
            return;     // not cancelled: the default action ends the process
        context.Cancel = true;
        if (_source.IsCancellationRequested)
            return;
        if (_words is not null)
            ErrorLines.Write($"{_words}; once more to stop at once.");
        Stop();
    }

    private void WaitForEndOfInput()
    {
        try
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
                // Nothing is said here; only the end counts.
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be read has ended.
        }

        Stop();
    }

    private void Stop()
    {
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
