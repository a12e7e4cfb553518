using AnTransformer.Architectures;
using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Generation;

/// <summary>
/// Continues a token sequence. The model sees at most its context: when that is full, the older half is dropped and the
/// newer half is read again, with the cache or without, so that both compute the same.
/// </summary>
/// <param name="model">The model; not modified.</param>
/// <param name="useCache">
/// Whether to keep keys and values; without, every token costs a pass over all before it.
/// </param>
public sealed class TextGenerator(LanguageModel model, bool useCache = true)
{
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
    {
        options.Validate();
        if (!model.Config.IsCausal)
        {
            throw new InvalidInputException(
                "the model's attention is not causal (is_causal is false), so it cannot continue text; "
                + "use a causal model.");
        }

        if (prompt.Count == 0)
            throw new InvalidInputException("the prompt is empty; give at least one token.");
        foreach (var id in prompt)
        {
            if (id < 0 || id >= model.Config.VocabSize)
                throw new InvalidInputException(
                    $"token {id} is outside the model's vocabulary of {model.Config.VocabSize} ids.");
        }

        var usable = Math.Min(usableIds ?? int.MaxValue, model.Config.VocabSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(usable, 1, nameof(usableIds));
        return Draw(prompt, count, new Sampler(options), stopToken, usable);
    }

    private IEnumerable<int> Draw(IReadOnlyList<int> prompt, int count, Sampler sampler, int? stopToken, int usableIds)
    {
        var context = model.Config.MaxPositionEmbeddings;
        var window = prompt.Skip(Math.Max(0, prompt.Count - context)).ToList();
        var cache = NewCache();
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (window.Count > context)
                {
                    window.RemoveRange(0, window.Count - Math.Max(1, context / 2));
                    cache?.Dispose();
                    cache = NewCache();
                }

                var token = sampler.Next(LastLogits(window, cache).AsSpan(0, usableIds));
                if (token == stopToken)
                    yield break;
                window.Add(token);
                yield return token;
            }
        }
        finally
        {
            cache?.Dispose();
        }
    }

    private KeyValueCache? NewCache() => !useCache
        ? null
        : new KeyValueCache(
            model.Config.NumHiddenLayers, model.Config.MaxPositionEmbeddings, model.Config.Attention.Span);

    private float[] LastLogits(List<int> window, KeyValueCache? cache)
    {
        using var noGrad = inference_mode();
        using var scope = NewDisposeScope();
        var unread = window.Skip((int)(cache?.Length ?? 0)).Select(id => (long)id).ToArray();
        var tokens = tensor(unread, device: model.Context.Device).unsqueeze(0);
        var logits = model.forward(tokens, cache);
        return logits[0, -1].to(ScalarType.Float32).cpu().data<float>().ToArray();
    }
}
