using AnTransformer.Studies.Sharing;

namespace AnTransformer.Cli.Studies;

/// <summary>
/// Ends a study's run, at once and without a word, when another worker has taken it over: the study that started it may
/// be suspended, or cut off from the file system, and must find its run ended when it wakes.
/// </summary>
internal sealed class ClaimGuard : IDisposable
{
    /// <summary>The variable that names the claim's file.</summary>
    public const string Variable = "ANTRANSFORMER_CLAIM";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);
    private readonly Timer? _timer;

    /// <summary>Looks after the claim that this process was started under; does nothing without one.</summary>
    public ClaimGuard()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } path)
            return;
        var claim = RunClaim.Open(path);
        Look(claim);
        _timer = new Timer(_ => Look(claim), state: null, BetweenLooks, BetweenLooks);
    }

    public void Dispose() => _timer?.Dispose();

    private static void Look(RunClaim claim)
    {
        // Whatever is being written is whole or not there.
        if (claim.IsLost)
            Environment.Exit(ExitCodes.Stopped);
    }
}
