namespace AnTransformer.Evaluation.Scoring;

/// <summary>
/// A question that is being read: first the tokens that its continuations begin with in common, once, then what is left
/// of each.
/// </summary>
internal sealed class QuestionProgress
{
    private readonly IReadOnlyList<TokenizedContinuation> _continuations;
    private readonly double[] _sums;
    private readonly bool[] _greedy;
    private readonly int _shared;
    private int _current = -1;          // the continuation that is read; -1 for what they share
    private int _position;

    /// <param name="index">The question's number.</param>
    /// <param name="continuations">Its continuations.</param>
    public QuestionProgress(int index, IReadOnlyList<TokenizedContinuation> continuations)
    {
        (Index, _continuations) = (index, continuations);
        _sums = new double[continuations.Count];
        _greedy = new bool[continuations.Count];
        Array.Fill(_greedy, true);
        _shared = continuations.Min(continuation => continuation.Tokens.Length - 1);
        foreach (var continuation in continuations)
            _shared = Math.Min(_shared, continuations[0].Tokens.AsSpan().CommonPrefixLength(continuation.Tokens));
        SkipWhatIsRead();
    }

    /// <summary>The question's number.</summary>
    public int Index { get; }

    /// <summary>Whether all is read.</summary>
    public bool IsDone => _current == _continuations.Count;

    /// <summary>Tokens that the sequence must have read before the next part.</summary>
    public int Position => _position;

    /// <summary>Tokens to read next, in order.</summary>
    public ReadOnlySpan<int> Next => _continuations[Math.Max(0, _current)].Tokens.AsSpan(_position, End - _position);

    private int End => _current < 0 ? _shared : _continuations[_current].Tokens.Length - 1;

    /// <summary>Whether anything is scored after the token at a place.</summary>
    /// <param name="offset">From <see cref="Position"/>.</param>
    public bool IsScored(int offset)
    {
        for (var i = 0; i < _continuations.Count; i++)
        {
            if (Serves(i) && _position + offset + 1 >= _continuations[i].First)
                return true;
        }

        return false;
    }

    /// <summary>Takes what the model expects after a token.</summary>
    /// <param name="offset">From <see cref="Position"/>.</param>
    /// <param name="row">Scores of next tokens.</param>
    public void Take(int offset, LogitsRow row)
    {
        var next = _position + offset + 1;
        for (var i = 0; i < _continuations.Count; i++)
        {
            if (!Serves(i) || next < _continuations[i].First)
                continue;
            var token = _continuations[i].Tokens[next];
            _sums[i] += row.LogProbability(token);
            _greedy[i] &= row.Best == token;
        }
    }

    /// <summary>Notes that tokens are read and their scores taken.</summary>
    /// <param name="count">How many.</param>
    public void Advance(int count)
    {
        _position += count;
        SkipWhatIsRead();
    }

    /// <summary>The results, when all is read.</summary>
    public Likelihood[] Results() => [.. _sums.Select((sum, i) => new Likelihood(sum, _greedy[i]))];

    private bool Serves(int continuation) => _current < 0 || _current == continuation;

    private void SkipWhatIsRead()
    {
        while (!IsDone && _position == End)
        {
            _current++;
            _position = _shared;
        }
    }
}
