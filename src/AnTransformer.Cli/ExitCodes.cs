namespace AnTransformer.Cli;

/// <summary>Exit codes of <c>angpt</c>, as the README documents them.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>A defect of the program.</summary>
    public const int InternalError = 1;

    /// <summary>Input that cannot be used; one sentence on standard error says why.</summary>
    public const int InvalidInput = 2;

    /// <summary>Stopped by Ctrl-C, SIGTERM or a closed terminal; training has saved a checkpoint.</summary>
    public const int Stopped = 3;

    /// <summary>Training diverged; the last good checkpoint is named.</summary>
    public const int Diverged = 4;

    /// <summary>A job of several processes has lost one, and is not started again.</summary>
    public const int JobLost = 5;

    /// <summary>What help says about each.</summary>
    public static IReadOnlyList<(int Code, string Meaning)> Meanings { get; } =
    [
        (Success, "done"),
        (InternalError, "a defect of this program; or some runs of a study failed (the same command tries them again)"),
        (InvalidInput, "input that cannot be used, or output that cannot be written: one sentence on standard error "
            + "says what, where, and what to do"),
        (Stopped, "stopped by Ctrl-C, SIGTERM or a closed terminal; training and studies are saved, and the same "
            + "command goes on"),
        (Diverged, "training diverged; the last good checkpoint is named"),
        (JobLost, "`launch` has lost a process of the job; the same command goes on from the last checkpoint"),
    ];
}
