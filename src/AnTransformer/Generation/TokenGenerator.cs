using AnTransformer.Configuration;

namespace AnTransformer.Generation;

/// <summary>
/// Continues a token sequence, whatever runs the model. The model sees at most its context: when that is full, the
/// older half is dropped and the newer half is read again, with a cache or without, so that both compute the same.
/// </summary>
public abstract class TokenGenerator
{
    private const int MostAlternatives = 1000;

    /// <summary>The model's sizes.</summary>
    protected abstract ModelConfig Config { get; }

    /// <summary>Draws tokens one by one.</summary>
    /// <param name="prompt">At least one id; of a prompt longer than the context its end is used.</param>
    /// <param name="count">Most tokens to draw.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="stopToken">Ends the sequence when drawn (and is not returned); null for none.</param>
    /// <param name="usableIds">
    /// Ids below this number are drawn; null for the whole vocabulary. A model may have more than its tokenizer can
    /// turn into text.
    /// </param>
    /// <exception cref="InvalidInputException">
    /// The prompt is empty, an id is out of range, or an option is, or the model's attention is not causal.
    /// </exception>
    public IEnumerable<int> Generate(
        IReadOnlyList<int> prompt, int count, SamplingOptions options, int? stopToken = null, int? usableIds = null)
        => Checked(prompt, count, options, alternatives: null, stopToken, usableIds).Select(token => token.Id);

    /// <summary>Draws tokens one by one, with their log-probabilities and those of the most probable ones.</summary>
    /// <param name="prompt">At least one id; of a prompt longer than the context its end is used.</param>
    /// <param name="count">Most tokens to draw.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="alternatives">Number of most probable tokens to tell with each.</param>
    /// <param name="stopToken">Ends the sequence when drawn (and is not returned); null for none.</param>
    /// <param name="usableIds">Ids below this number are drawn; null for the whole vocabulary.</param>
    /// <exception cref="InvalidInputException">
    /// The prompt is empty, an id is out of range, or an option is, or the model's attention is not causal.
    /// </exception>
    public IEnumerable<DrawnToken> GenerateWithLogprobs(
        IReadOnlyList<int> prompt, int count, SamplingOptions options, int alternatives, int? stopToken = null,
        int? usableIds = null)
        => alternatives is >= 0 and <= MostAlternatives
            ? Checked(prompt, count, options, alternatives, stopToken, usableIds)
            : throw new InvalidInputException(
                $"logprobs must lie between 0 and {MostAlternatives}, not {alternatives}.");

    /// <summary>A new sequence.</summary>
    protected abstract IDecodingState Start();

    private IEnumerable<DrawnToken> Checked(
        IReadOnlyList<int> prompt, int count, SamplingOptions options, int? alternatives, int? stopToken,
        int? usableIds)
    {
        options.Validate();
        if (!Config.IsCausal)
        {
            throw new InvalidInputException(
                "the model's attention is not causal (is_causal is false), so it cannot continue text; "
                + "use a causal model.");
        }

        if (prompt.Count == 0)
            throw new InvalidInputException("the prompt is empty; give at least one token.");
        foreach (var id in prompt)
        {
            if (id < 0 || id >= Config.VocabSize)
                throw new InvalidInputException(
                    $"token {id} is outside the model's vocabulary of {Config.VocabSize} ids.");
        }

        var usable = Math.Min(usableIds ?? int.MaxValue, Config.VocabSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(usable, 1, nameof(usableIds));
        return Draw(prompt, count, options, alternatives, stopToken, usable);
    }

    private IEnumerable<DrawnToken> Draw(
        IReadOnlyList<int> prompt, int count, SamplingOptions options, int? alternatives, int? stopToken, int usableIds)
    {
        var context = Config.MaxPositionEmbeddings;
        var sampler = new Sampler(options);
        foreach (var id in prompt)
            sampler.Observe(id);
        var window = prompt.Skip(Math.Max(0, prompt.Count - context)).ToList();
        var state = Start();
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (window.Count > context)
                {
                    window.RemoveRange(0, window.Count - Math.Max(1, context / 2));
                    state.Dispose();
                    state = Start();
                }

                var drawn = Next(state, window, sampler, alternatives, usableIds);
                if (drawn.Id == stopToken)
                    yield break;
                sampler.Observe(drawn.Id);
                window.Add(drawn.Id);
                yield return drawn;
            }
        }
        finally
        {
            state.Dispose();
        }
    }

    private static DrawnToken Next(
        IDecodingState state, List<int> window, Sampler sampler, int? alternatives, int usableIds)
    {
        var unread = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(window)[state.Length..];
        var logits = state.Read(unread)[..usableIds];
        var id = sampler.Next(logits);
        return alternatives is { } number ? Logprobs.Of(logits, id, number) : new DrawnToken(id, double.NaN, []);
    }
}
