using AnTransformer.Generation;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Server.Completions;

/// <summary>
/// Makes text of a completion's tokens as they come. Characters that are not whole yet are held back, and so is what
/// may be the beginning of a stop text; tokens wait until the text reaches them.
/// </summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="stops">Texts before which the completion ends.</param>
/// <param name="tellsTokens">Whether log-probabilities were asked for.</param>
internal sealed class CompletionText(Tokenizer tokenizer, IReadOnlyList<string> stops, bool tellsTokens)
{
    private readonly StreamingDecoder _decoder = new(tokenizer);
    private readonly StopSequences _stops = new(stops);
    private readonly Queue<PlacedToken> _waiting = new();
    private int _decoded;
    private int _told;

    /// <summary>Whether a stop text has come.</summary>
    public bool IsStopped => _stops.IsStopped;

    /// <summary>The prompt, whose tokens no stop text ends.</summary>
    /// <param name="text">As it was sent, or decoded.</param>
    /// <param name="tokens">With log-probabilities, or none.</param>
    public CompletionPiece Echo(string text, IReadOnlyList<DrawnToken> tokens)
    {
        var placed = new List<PlacedToken>(tokens.Count);
        var decoder = new StreamingDecoder(tokenizer);
        var offset = 0;
        foreach (var token in tokens)
        {
            placed.Add(new PlacedToken(token, offset));
            offset += CodePoints(decoder.Append(token.Id));
        }

        _decoded = _told = CodePoints(text);
        return new CompletionPiece(text, placed, null);
    }

    /// <summary>Adds a token.</summary>
    public CompletionPiece Append(DrawnToken token)
    {
        Place(token);
        var piece = _decoder.Append(token.Id);
        _decoded += CodePoints(piece);
        return Tell(_stops.Append(piece), isEnd: false);
    }

    /// <summary>The token that ends a text: it has no text of its own.</summary>
    public void AppendEnd(DrawnToken token) => Place(token);

    /// <summary>Ends the completion.</summary>
    /// <param name="byToken">Whether the model ended it, rather than the room for it.</param>
    public CompletionPiece End(bool byToken)
    {
        var text = IsStopped ? "" : _stops.Append(_decoder.Flush());
        text += _stops.Flush();
        return Tell(text, isEnd: true) with { FinishReason = byToken || IsStopped ? "stop" : "length" };
    }

    private void Place(DrawnToken token)
    {
        if (tellsTokens)
            _waiting.Enqueue(new PlacedToken(token, _decoded));
    }

    private CompletionPiece Tell(string text, bool isEnd)
    {
        _told += CodePoints(text);
        var tokens = new List<PlacedToken>();
        while (_waiting.TryPeek(out var next) && (next.Offset < _told || (isEnd && !IsStopped)))
            tokens.Add(_waiting.Dequeue());
        return new CompletionPiece(text, tokens, null);
    }

    private static int CodePoints(string text)
    {
        var count = text.Length;
        foreach (var character in text)
            count -= char.IsLowSurrogate(character) ? 1 : 0;
        return count;
    }
}
