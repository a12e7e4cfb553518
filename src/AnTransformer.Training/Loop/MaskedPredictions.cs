using AnTransformer.Architectures;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Training.Loop;

/// <summary>
/// What a masked language model makes of a batch: losses, and how often its first choice is the token.
/// </summary>
/// <param name="Nats">Sum of the cross-entropies of the predicted tokens.</param>
/// <param name="Correct">Predicted tokens whose logit is the largest.</param>
/// <param name="Tokens">Predicted tokens.</param>
internal sealed record MaskedPredictions(double Nats, long Correct, long Tokens)
{
    // A pass over logits has results of their size: of few enough rows at a time to stay small beside them.
    private const long LogitsAtOnce = 1 << 22;

    /// <summary>Measures a batch; outside the graph.</summary>
    /// <param name="model">The model.</param>
    /// <param name="tokens">Ids, [B·T].</param>
    /// <param name="targets">
    /// Ids where they are to be predicted, else <see cref="IgnoredTargets.Index"/>, [B·T].
    /// </param>
    /// <param name="length">T.</param>
    public static MaskedPredictions Of(LanguageModel model, long[] tokens, long[] targets, int length)
    {
        using var scope = NewDisposeScope();
        var device = model.Context.Device;
        long[] positions = [.. Enumerable.Range(0, targets.Length).Where(
            i => targets[i] != IgnoredTargets.Index).Select(i => (long)i)];
        var logits = model.LogitsAt(tensor(tokens, device: device).view(-1, length), tensor(positions, device: device));
        var expected = tensor(positions.Select(position => targets[position]).ToArray(), device: device).unsqueeze(1);
        var rows = Math.Max(1, LogitsAtOnce / logits.shape[1]);
        var (nats, correct) = (0.0, 0L);
        for (long first = 0; first < positions.Length; first += rows)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(rows, positions.Length - first);
            var (some, ids) = (logits.narrow(0, first, count), expected.narrow(0, first, count));
            var losses = some.logsumexp(1, keepdim: true) - some.gather(1, ids);
            nats += losses.to(ScalarType.Float64).sum().item<double>();
            correct += some.argmax(1, keepdim: true).eq(ids).sum().item<long>();
        }

        return new MaskedPredictions(nats, correct, positions.Length);
    }
}
