using System.Text.Json.Serialization;

namespace AnTransformer.Studies.Running;

/// <summary>How a run of a study came out; the file <c>result.json</c> of its directory.</summary>
public sealed record RunResult
{
    /// <summary>The run's name.</summary>
    public required string Name { get; init; }

    /// <summary>A digest of the settings it was trained with.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Completed, or diverged: a result as well, and not run again.</summary>
    public required RunEnding Status { get; init; }

    /// <summary>Why it diverged; null when it did not.</summary>
    public string? Reason { get; init; }

    /// <summary>Steps taken.</summary>
    public long Steps { get; init; }

    /// <summary>Tokens trained on.</summary>
    public long Tokens { get; init; }

    /// <summary>Validation loss at the end in nats per token; null for a diverged run.</summary>
    public double? ValLoss { get; init; }

    /// <summary>The same in bits per byte of text; null when the bytes are unknown, too.</summary>
    public double? BitsPerByte { get; init; }

    /// <summary>Lowest validation loss on the way in nats per token; null when there was no evaluation.</summary>
    public double? BestValLoss { get; init; }

    /// <summary>Seconds of training, evaluations and start excluded.</summary>
    public double Seconds { get; init; }

    /// <summary>Tokens per second of training.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Trainable numbers.</summary>
    public long Params { get; init; }

    /// <summary>Trainable numbers in matrices that are multiplied with activations, the head's included.</summary>
    public long MatrixParams { get; init; }

    /// <summary>Floating-point operations of matrix products per token of training.</summary>
    public double FlopsPerToken { get; init; }

    /// <summary>Device it was trained on.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Runs that were trained beside each other; with more than one, timings are not isolated.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Version of the software.</summary>
    public string Version { get; init; } = "";

    /// <summary>All settings that decide the outcome, defaults resolved.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(
        StringComparer.Ordinal);

    /// <summary>Validation losses on the way.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; init; } = [];

    /// <summary>Floating-point operations of matrix products over the training.</summary>
    [JsonIgnore]
    public double Flops => Tokens * FlopsPerToken;

    /// <summary>The loss to compare runs by: infinite when the run diverged.</summary>
    [JsonIgnore]
    public double LossOrInfinity
        => Status == RunEnding.Completed && ValLoss is { } loss && double.IsFinite(loss)
            ? loss
            : double.PositiveInfinity;
}

/// <summary>A validation loss during a run.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="Loss">Validation loss in nats per token.</param>
/// <param name="Seconds">Seconds of training so far.</param>
public sealed record CurvePoint(long Step, long Tokens, double Loss, double Seconds);

/// <summary>How a launched run ended.</summary>
public enum RunEnding
{
    /// <summary>All steps taken.</summary>
    Completed,

    /// <summary>The loss diverged.</summary>
    Diverged,

    /// <summary>Stopped on request; it goes on from its checkpoint.</summary>
    Stopped,

    /// <summary>It ended for another reason, such as a lack of memory; it is tried again the next time.</summary>
    Failed,
}
