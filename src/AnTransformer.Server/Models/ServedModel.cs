using AnTransformer.Inference;
using AnTransformer.Server.Requests;
using AnTransformer.Server.Scheduling;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Server.Models;

/// <summary>A model that is served, its tokenizer, and the slots in which it continues text. Owns the model.</summary>
internal sealed class ServedModel : IDisposable
{
    private readonly InferenceModel _model;

    /// <param name="name">What clients ask for.</param>
    /// <param name="model">Causal; owned.</param>
    /// <param name="tokenizer">Its own.</param>
    /// <param name="created">When it was trained.</param>
    /// <param name="slots">Sequences at once.</param>
    /// <param name="mostQueued">Sequences that may wait.</param>
    /// <param name="metrics">What is counted.</param>
    public ServedModel(
        string name, InferenceModel model, Tokenizer tokenizer, DateTimeOffset created, int slots, int mostQueued,
        ServerMetrics metrics)
    {
        (Name, Tokenizer, Created, _model) = (name, tokenizer, created, model);
        Scheduler = new BatchScheduler(model, tokenizer.VocabularySize, slots, mostQueued, metrics);
        metrics.Observe(name, Scheduler);
    }

    /// <summary>What clients ask for.</summary>
    public string Name { get; }

    /// <summary>Text to ids and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>When it was trained.</summary>
    public DateTimeOffset Created { get; }

    /// <summary>Continues sequences.</summary>
    public BatchScheduler Scheduler { get; }

    /// <summary>The longest sequence that it reads.</summary>
    public int Context => _model.Config.MaxPositionEmbeddings;

    /// <summary>The architecture's name.</summary>
    public string Architecture => _model.Config.Architecture;

    /// <summary>The ids of a prompt, at least one and not more than the model can read.</summary>
    /// <exception cref="ApiException">It is too long, or has ids that the tokenizer does not know.</exception>
    public int[] Encode(Prompt prompt)
    {
        var ids = prompt.Ids ?? [.. Tokenizer.Encode(prompt.Text!)];
        RequireKnown(ids, "prompt");
        if (ids.Length == 0)
        {
            // The beginning of a text is what follows the end of another.
            ids = Tokenizer.EndOfTextId is { } end
                ? [end]
                : throw ApiException.Invalid("prompt", "prompt is empty, and the vocabulary has no end-of-text token.");
        }

        return ids.Length <= Context
            ? ids
            : throw new ApiException(
                400, $"prompt has {ids.Length} tokens and the model's context {Context}; send its end only.", "prompt",
                "context_length_exceeded");
    }

    /// <summary>Refuses ids that the tokenizer cannot turn into text.</summary>
    /// <exception cref="ApiException">There is one.</exception>
    public void RequireKnown(int[] ids, string name)
    {
        var known = Tokenizer.VocabularySize;
        if (Array.Exists(ids, id => id >= known))
            throw ApiException.Invalid(name, $"{name}: token ids must be below {known}, the size of the vocabulary.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Scheduler.Dispose();
        _model.Dispose();
    }
}
