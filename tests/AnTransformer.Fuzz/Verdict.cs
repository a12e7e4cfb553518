namespace AnTransformer.Fuzz;

/// <summary>What became of an input.</summary>
internal enum Outcome
{
    /// <summary>It was read.</summary>
    Accepted,

    /// <summary>It was refused in one sentence.</summary>
    Refused,

    /// <summary>Anything else.</summary>
    Finding,
}

/// <summary>What became of an input.</summary>
/// <param name="Outcome">Its kind.</param>
/// <param name="Kind">Of a finding: what is the same in findings of one cause; else empty.</param>
/// <param name="Detail">The message, or what went wrong.</param>
/// <param name="Milliseconds">Time it took.</param>
internal sealed record Verdict(Outcome Outcome, string Kind, string Detail, double Milliseconds)
{
    public static Verdict Finding(string kind, string detail, double milliseconds) => new(Outcome.Finding, kind, detail, milliseconds);
}
