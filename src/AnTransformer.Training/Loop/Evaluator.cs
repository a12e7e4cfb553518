using System.Runtime.InteropServices;
using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Training.Data;
using AnTransformer.Training.Tokenization;
using static TorchSharp.torch;

namespace AnTransformer.Training.Loop;

/// <summary>Result of an evaluation.</summary>
/// <param name="Loss">Mean cross-entropy in nats per predicted token.</param>
/// <param name="BitsPerByte">
/// Bits per byte of text; null when the tokens' bytes are unknown, and for a masked language model, whose losses do not
/// add up to a text's probability.
/// </param>
/// <param name="Tokens">Tokens predicted.</param>
/// <param name="Bytes">Bytes they stand for; null when unknown.</param>
/// <param name="MaskedAccuracy">
/// Share of the masked tokens that a masked language model's first choice is right for; null for a causal one.
/// </param>
public sealed record EvaluationResult(
    double Loss, double? BitsPerByte, long Tokens, long? Bytes, double? MaskedAccuracy = null)
{
    /// <summary>e^loss; null for a masked language model, as bits per byte are.</summary>
    public double? Perplexity => MaskedAccuracy is null ? Math.Exp(Loss) : null;
}

/// <summary>
/// Measures a model on the first windows of a data set, always the same ones, masked in the same way. Bits per byte
/// count every token's loss over the bytes of the tokens' text (special tokens have none), so that models with
/// different tokenizers compare.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="data">Validation windows in the order of the data, as they are.</param>
/// <param name="tokenizer">Gives the tokens' bytes; null when unknown.</param>
/// <param name="batchSize">Sequences per forward pass.</param>
/// <param name="group">
/// Processes that take turns with the batches, all of which get the result; null for a process alone.
/// </param>
public sealed class Evaluator(
    LanguageModel model, WindowSampler data, Tokenizer? tokenizer, int batchSize, ProcessGroup? group = null)
{
    private readonly ProcessGroup _group = group ?? ProcessGroup.Single;
    private readonly WindowSampler _data = data.Masked(TokenMasker.ForEvaluation(model.Config));

    private readonly int[]? _byteLengths = tokenizer is null
        ? null
        : Enumerable.Range(0, tokenizer.VocabularySize).Select(id => tokenizer.GetBytes(id).Length).ToArray();

    /// <summary>Evaluates.</summary>
    /// <param name="batches">Number of batches; 0 for the whole data set.</param>
    /// <param name="progress">Receives the share done, in [0, 1].</param>
    /// <param name="cancellation">Ends the evaluation.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="InvalidInputException">A token is outside the tokenizer's vocabulary.</exception>
    public EvaluationResult Run(int batches, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        using var noGrad = inference_mode();
        var total = batches == 0 ? data.WindowCount : Math.Min(data.WindowCount, (long)batches * batchSize);
        var isMasked = model.Config.Masking is not null;
        var found = new List<BatchResult>();
        for (var first = (long)_group.Rank * batchSize; first < total; first += (long)_group.Size * batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var count = (int)Math.Min(batchSize, total - first);
            var size = count * data.SequenceLength;
            var (inputs, targets) = (new long[size], new long[size]);
            _data.GetBatch(first, count, inputs, targets);
            if (isMasked)
            {
                var predictions = MaskedPredictions.Of(model, inputs, targets, data.SequenceLength);
                found.Add(new BatchResult(predictions.Nats, predictions.Tokens, 0, predictions.Correct));
            }
            else
            {
                long[] shape = [count, data.SequenceLength];
                var losses = model.TokenLosses(
                    tensor(inputs, device: model.Context.Device).view(shape),
                    tensor(targets, device: model.Context.Device).view(shape));
                found.Add(new BatchResult(
                    losses.to(ScalarType.Float64).sum().item<double>(), size,
                    _byteLengths is null ? 0 : targets.Sum(id => (long)BytesOf(id)), 0));
            }

            progress?.Invoke((double)(first + count) / total);
        }

        double nats = 0;
        long tokens = 0, bytes = 0, correct = 0;
        foreach (var batch in InOrder(found))
        {
            nats += batch.Nats;
            (tokens, bytes, correct) = (tokens + batch.Tokens, bytes + batch.Bytes, correct + batch.Correct);
        }

        if (isMasked)
            return new EvaluationResult(
                nats / tokens, BitsPerByte: null, tokens, Bytes: null, (double)correct / tokens);
        return new EvaluationResult(
            nats / tokens, bytes > 0 ? nats / Math.Log(2) / bytes : null, tokens, _byteLengths is null ? null : bytes);
    }

    /// <summary>The results of all processes in the order of the batches, so that sums are those of one.</summary>
    private IEnumerable<BatchResult> InOrder(List<BatchResult> own)
    {
        if (_group.Size == 1)
            return own;
        var all = _group.Gather(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(own)).ToArray())
            .Select(bytes => MemoryMarshal.Cast<byte, BatchResult>(bytes).ToArray()).ToList();
        return Enumerable.Range(0, all.Sum(results => results.Length))
            .Select(batch => all[batch % all.Count][batch / all.Count]);
    }

    private int BytesOf(long id) => id < _byteLengths!.Length
        ? _byteLengths[id]
        : throw new InvalidInputException(
            $"The data hold the token id {id}, which the tokenizer with its {_byteLengths.Length} ids cannot turn into "
                + "text; evaluate on data "
            + "that were prepared with the model's tokenizer.");

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct BatchResult(double Nats, long Tokens, long Bytes, long Correct);
}
