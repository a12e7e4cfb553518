using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AnTransformer.Server.Scheduling;

/// <summary>What the server counts, besides what ASP.NET Core counts of requests.</summary>
internal sealed class ServerMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "AnTransformer.Server";

    private readonly Meter _meter = new(Name);
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<int> _batch;

    public ServerMetrics()
    {
        PromptTokens = _meter.CreateCounter<long>(
            "angpt.prompt_tokens", description: "Tokens of prompts that were read.");
        GeneratedTokens = _meter.CreateCounter<long>(
            "angpt.generated_tokens", description: "Tokens that were drawn.");
        _firstToken = _meter.CreateHistogram<double>(
            "angpt.time_to_first_token", "s", "From a request's arrival to its first token.");
        _batch = _meter.CreateHistogram<int>("angpt.sequences_per_pass", description: "Sequences read in one pass.");
    }

    /// <summary>Whether an instrument is one of these, and not another server's of the same process.</summary>
    public bool Owns(Instrument instrument) => ReferenceEquals(instrument.Meter, _meter);

    /// <summary>Tokens of prompts that were read.</summary>
    public Counter<long> PromptTokens { get; }

    /// <summary>Tokens that were drawn.</summary>
    public Counter<long> GeneratedTokens { get; }

    /// <summary>Reads sizes of a scheduler when they are asked for.</summary>
    public void Observe(string model, BatchScheduler scheduler)
    {
        var tag = new KeyValuePair<string, object?>("model", model);
        _meter.CreateObservableGauge(
            "angpt.sequences_running", () => new Measurement<int>(scheduler.Running, tag),
            description: "Slots in use.");
        _meter.CreateObservableGauge(
            "angpt.sequences_waiting", () => new Measurement<int>(scheduler.Waiting, tag),
            description: "Sequences that wait for a slot.");
        _meter.CreateObservableGauge(
            "angpt.cache", () => new Measurement<long>(scheduler.CacheBytes, tag), "By",
            "Keys and values of all slots.");
    }

    /// <summary>A sequence has its first token.</summary>
    public void FirstToken(long arrived) => _firstToken.Record(Stopwatch.GetElapsedTime(arrived).TotalSeconds);

    /// <summary>A pass was made.</summary>
    public void Passed(int sequences) => _batch.Record(sequences);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
