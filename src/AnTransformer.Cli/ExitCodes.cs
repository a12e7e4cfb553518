namespace AnTransformer.Cli;

/// <summary>Exit codes of <c>angpt</c>, as the README documents them.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>A defect of the program.</summary>
    public const int InternalError = 1;

    /// <summary>Input that cannot be used; one sentence on standard error says why.</summary>
    public const int InvalidInput = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM; training has saved a checkpoint.</summary>
    public const int Stopped = 3;

    /// <summary>Training diverged; the last good checkpoint is named.</summary>
    public const int Diverged = 4;
}
