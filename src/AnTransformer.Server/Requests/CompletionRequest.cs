using System.Text.Json;
using AnTransformer.Generation;

namespace AnTransformer.Server.Requests;

/// <summary>What <c>POST /v1/completions</c> asks for, checked against every limit but those of the model.</summary>
internal sealed record CompletionRequest
{
    /// <summary>The model's name, or null for the only one.</summary>
    public string? Model { get; private init; }

    /// <summary>One or more; each is a text or ids.</summary>
    public required IReadOnlyList<Prompt> Prompts { get; init; }

    /// <summary>Most tokens to draw.</summary>
    public int MaxTokens { get; private init; }

    /// <summary>Completions of each prompt.</summary>
    public int Count { get; private init; }

    /// <summary>How to draw; the seed is that of the first completion.</summary>
    public required SamplingOptions Sampling { get; init; }

    /// <summary>Alternatives to tell with each token, or null for no log-probabilities.</summary>
    public int? Logprobs { get; private init; }

    /// <summary>Whether the prompt is a part of the answer.</summary>
    public bool Echo { get; private init; }

    /// <summary>Texts before which a completion ends.</summary>
    public required IReadOnlyList<string> Stops { get; init; }

    /// <summary>Whether to go on after the end of a text.</summary>
    public bool IgnoresEnd { get; private init; }

    /// <summary>Whether tokens come as they are drawn.</summary>
    public bool Streams { get; private init; }

    /// <summary>Whether the stream ends with the number of tokens.</summary>
    public bool IncludesUsage { get; private init; }

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field has a value that it cannot have.</exception>
    public static CompletionRequest Of(JsonFields fields)
    {
        fields.RequireNothing("suffix", "the models continue text only, so leave it out.");
        fields.RequireNothing("logit_bias", "leave it out.");
        fields.RequireNothing("presence_penalty", "give repetition_penalty in its place.");
        fields.RequireNothing("frequency_penalty", "give repetition_penalty in its place.");
        var prompts = Prompt.ReadAll(fields);
        var count = fields.Int("n", 1, RequestLimits.Sequences) ?? 1;
        if (prompts.Count * (long)count > RequestLimits.Sequences)
        {
            throw ApiException.Invalid(
                "n",
                $"A request may have {RequestLimits.Sequences} completions, prompts times n; send several requests.");
        }

        if ((fields.Int("best_of", 1, RequestLimits.Sequences) ?? count) != count)
            throw ApiException.Invalid("best_of", "best_of must equal n, since all completions are returned.");
        var streams = fields.Bool("stream");
        var options = fields.Object("stream_options");
        if (options is not null && !streams)
            throw ApiException.Invalid("stream_options", "stream_options needs stream: true.");
        return new CompletionRequest
        {
            Model = fields.String("model"),
            Prompts = prompts,
            MaxTokens = fields.Int("max_tokens", 0, 1 << 20) ?? 16,
            Count = count,
            Sampling = ReadSampling(fields),
            Logprobs = fields.Int("logprobs", 0, RequestLimits.Logprobs),
            Echo = fields.Bool("echo"),
            Stops = ReadStops(fields),
            IgnoresEnd = fields.Bool("ignore_eos"),
            Streams = streams,
            IncludesUsage = options?.Bool("include_usage") ?? false,
        };
    }

    /// <summary>
    /// How a completion is drawn: equal requests with a seed give equal answers, and completions differ.
    /// </summary>
    /// <param name="index">The completion's number.</param>
    public SamplingOptions SamplingOf(int index) => Sampling with { Seed = unchecked(Sampling.Seed + index) };

    private static SamplingOptions ReadSampling(JsonFields fields)
    {
        var seed = fields.Long("seed") ?? Random.Shared.NextInt64();
        var sampling = new SamplingOptions(
            fields.Number("temperature", 0, RequestLimits.Temperature) ?? 1,
            Math.Max(0, fields.Int("top_k", -1, int.MaxValue) ?? 0),
            fields.Number("top_p", 0, 1) ?? 1,
            unchecked((int)(seed ^ (seed >> 32))),
            fields.Number("min_p", 0, 1) ?? 0,
            fields.Number("repetition_penalty", 0.01, 100) ?? 1);
        // OpenAI's own range has 0 in it; of no mass at all the most probable token is what is left.
        return sampling.TopP > 0 ? sampling : sampling with { TopP = double.Epsilon };
    }

    private static List<string> ReadStops(JsonFields fields)
    {
        const string Form = "stop must be a text or a list of texts";
        if (fields.Find("stop") is not { } value)
            return [];
        IEnumerable<JsonElement> elements = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];
        var stops = new List<string>();
        foreach (var element in elements)
        {
            var stop = JsonFields.Text(element) ?? throw ApiException.Invalid("stop", $"{Form}.");
            // An empty one, which some clients send for none, would end every text at once.
            if (stop.Length > 0)
                stops.Add(stop);
        }

        return stops.Count <= RequestLimits.Stops && stops.TrueForAll(stop => stop.Length <= RequestLimits.StopLength)
            ? stops
            : throw ApiException.Invalid(
                "stop", $"{Form}, at most {RequestLimits.Stops} of {RequestLimits.StopLength} characters.");
    }
}
