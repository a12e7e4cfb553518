using System.Net;
using AnTransformer.Inference;
using AnTransformer.Server.Requests;

namespace AnTransformer.Server;

/// <summary>What is served, and to whom.</summary>
internal sealed record ServerOptions
{
    /// <summary>Names and checkpoints' directories; at least one.</summary>
    public required IReadOnlyList<(string Name, string Checkpoint)> Models { get; init; }

    /// <summary>How models are loaded.</summary>
    public InferenceOptions Inference { get; init; } = new();

    /// <summary>Where requests are awaited.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>The port; 0 for any that is free.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Host names that are answered besides those of the loopback.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>What requests must bring, or null.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Sequences of a model at once.</summary>
    public int Slots { get; init; } = 8;

    /// <summary>Sequences of a model that may wait.</summary>
    public int MostQueued { get; init; } = 256;

    /// <summary>Bytes of a request's body.</summary>
    public int BodyBytes { get; init; } = RequestLimits.BodyBytes;

    /// <summary>How long running requests may take after the server was asked to stop.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Whose runs and studies the page shows, or null.</summary>
    public string? Runs { get; init; }
}
