namespace AnTransformer.Server.Requests;

/// <summary>What a request may ask for at most.</summary>
internal static class RequestLimits
{
    /// <summary>Sequences of one request: prompts times <c>n</c>.</summary>
    public const int Sequences = 128;

    /// <summary>Alternatives told with each token.</summary>
    public const int Logprobs = 20;

    /// <summary>Texts that end a completion.</summary>
    public const int Stops = 16;

    /// <summary>Characters of one of them.</summary>
    public const int StopLength = 256;

    /// <summary>As OpenAI has it.</summary>
    public const double Temperature = 2;

    /// <summary>Bytes of a body, unless the server was started with another bound.</summary>
    public const int BodyBytes = 4 << 20;
}
