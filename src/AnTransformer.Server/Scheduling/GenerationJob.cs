using System.Diagnostics;
using System.Threading.Channels;
using AnTransformer.Generation;

namespace AnTransformer.Server.Scheduling;

/// <summary>
/// A sequence in the queue or in a slot. The scheduler writes its tokens; one reader takes them as they come. What
/// waits to be read is bounded by the model's context.
/// </summary>
/// <param name="request">What was asked for.</param>
/// <param name="cancelled">The client has gone.</param>
internal sealed class GenerationJob(GenerationRequest request, CancellationToken cancelled)
{
    private readonly Channel<DrawnToken> _tokens = Channel.CreateUnbounded<DrawnToken>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private volatile bool _isDone;

    /// <summary>What was asked for.</summary>
    public GenerationRequest Request { get; } = request;

    /// <summary>
    /// The prompt's tokens with their log-probabilities, the first without one; complete before the first drawn token
    /// comes. Empty where they were not asked for.
    /// </summary>
    public List<DrawnToken> PromptTokens { get; } = [];

    /// <summary>Drawn tokens; ends after the last one, with an exception where the model failed.</summary>
    public ChannelReader<DrawnToken> Tokens => _tokens.Reader;

    /// <summary>Whether the sequence ended by its stop token rather than for want of room.</summary>
    public bool EndedByToken { get; private set; }

    /// <summary>When it was asked for.</summary>
    public long Arrived { get; } = Stopwatch.GetTimestamp();

    /// <summary>Whether nobody waits for more.</summary>
    public bool IsAbandoned => _isDone || cancelled.IsCancellationRequested;

    /// <summary>The reader needs no more tokens: the slot becomes free.</summary>
    public void Abandon() => _isDone = true;

    /// <summary>Hands on a token.</summary>
    public void Add(DrawnToken token) => _tokens.Writer.TryWrite(token);

    /// <summary>No more tokens come.</summary>
    /// <param name="byToken">Whether the stop token was drawn.</param>
    /// <param name="error">Why the model failed, if it did.</param>
    public void End(bool byToken, Exception? error = null)
    {
        EndedByToken = byToken;
        _tokens.Writer.TryComplete(error);
    }
}
