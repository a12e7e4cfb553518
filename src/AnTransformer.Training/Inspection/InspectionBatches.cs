using AnTransformer.Training.Data;
using static TorchSharp.torch;

namespace AnTransformer.Training.Inspection;

/// <summary>The batches that a model is inspected on: the first windows of a data set, always the same ones.</summary>
public static class InspectionBatches
{
    /// <summary>Reads batches as they are asked for.</summary>
    /// <param name="data">Windows in the order of the data.</param>
    /// <param name="sequences">How many; fewer when the data has fewer.</param>
    /// <param name="batchSize">Sequences per batch at most.</param>
    /// <param name="device">Where the tensors go.</param>
    /// <returns>Inputs and targets, int64, [B, T] each.</returns>
    public static IEnumerable<(Tensor Tokens, Tensor Targets)> Of(
        WindowSampler data, long sequences, int batchSize, Device device)
    {
        var total = Math.Min(sequences, data.WindowCount);
        for (long first = 0; first < total; first += batchSize)
        {
            var count = (int)Math.Min(batchSize, total - first);
            var (inputs, targets) = (new long[count * data.SequenceLength], new long[count * data.SequenceLength]);
            data.GetBatch(first, count, inputs, targets);
            long[] shape = [count, data.SequenceLength];
            yield return (tensor(inputs, device: device).view(shape), tensor(targets, device: device).view(shape));
        }
    }
}
