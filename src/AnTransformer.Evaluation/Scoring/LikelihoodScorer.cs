using AnTransformer.Inference;

namespace AnTransformer.Evaluation.Scoring;

/// <summary>
/// Log-likelihoods of many questions' answers. Each pass over the weights reads tokens of as many questions as fit, and
/// what answers of a question have in common is read once.
/// </summary>
internal sealed class LikelihoodScorer : IDisposable
{
    private const int TokensAtOnce = 512;           // the most that a pass takes
    private const int LogitsAtOnce = 128;           // rows of V numbers each
    private const int QuestionsAtOnce = 24;

    private readonly InferenceModel _model;
    private readonly InferenceSession[] _sessions = new InferenceSession[QuestionsAtOnce];
    private readonly QuestionProgress?[] _questions = new QuestionProgress?[QuestionsAtOnce];

    /// <param name="model">The model; not owned.</param>
    public LikelihoodScorer(InferenceModel model)
    {
        _model = model;
        for (var i = 0; i < _sessions.Length; i++)
            _sessions[i] = model.CreateSession();
    }

    /// <summary>Scores questions.</summary>
    /// <param name="questions">Continuations of each; read as far ahead as the scorer gets.</param>
    /// <param name="done">Receives a question's number and the likelihoods of its continuations, in any order.</param>
    /// <param name="stop">Ends the scoring between passes.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public void Score(
        IEnumerable<IReadOnlyList<TokenizedContinuation>> questions, Action<int, Likelihood[]> done,
        CancellationToken stop)
    {
        Array.Clear(_questions);
        using var waiting = questions.GetEnumerator();
        for (var (next, isEmpty) = (0, false); ;)
        {
            for (var slot = 0; slot < _questions.Length && !isEmpty; slot++)
            {
                if (_questions[slot] is not null)
                    continue;
                isEmpty = !waiting.MoveNext();
                if (!isEmpty)
                    _questions[slot] = new QuestionProgress(next++, waiting.Current);
            }

            if (!Array.Exists(_questions, question => question is not null))
                return;
            stop.ThrowIfCancellationRequested();
            Pass(done);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_sessions, session => session.Dispose());

    private void Pass(Action<int, Likelihood[]> done)
    {
        var (slots, counts, tokens, outputs) = (new List<int>(), new List<int>(), new List<int>(), new List<int>());
        for (var slot = 0; slot < _questions.Length && tokens.Count < TokensAtOnce; slot++)
        {
            if (_questions[slot] is not { } question)
                continue;
            var start = tokens.Count;
            foreach (var token in question.Next)
            {
                var isScored = question.IsScored(tokens.Count - start);
                if (tokens.Count == TokensAtOnce || (isScored && outputs.Count == LogitsAtOnce))
                    break;
                if (isScored)
                    outputs.Add(tokens.Count);
                tokens.Add(token);
            }

            if (tokens.Count == start)
                continue;
            _sessions[slot].Truncate(question.Position);
            slots.Add(slot);
            counts.Add(tokens.Count - start);
        }

        var logits = _model.Read(
            [.. slots.Select(slot => _sessions[slot])], [.. counts], [.. tokens], [.. outputs]);
        Take(slots, counts, outputs, logits);
        foreach (var slot in slots.Where(slot => _questions[slot]!.IsDone))
        {
            done(_questions[slot]!.Index, _questions[slot]!.Results());
            _questions[slot] = null;
        }
    }

    private void Take(List<int> slots, List<int> counts, List<int> outputs, ReadOnlySpan<float> logits)
    {
        var size = _model.Config.VocabSize;
        for (var (i, start, output) = (0, 0, 0); i < slots.Count; start += counts[i++])
        {
            var question = _questions[slots[i]]!;
            for (; output < outputs.Count && outputs[output] < start + counts[i]; output++)
                question.Take(outputs[output] - start, new LogitsRow(logits.Slice(output * size, size)));
            question.Advance(counts[i]);
        }
    }
}
