using AnTransformer.Checkpoints;
using AnTransformer.Export.Import;
using AnTransformer.Export.Safetensors;

namespace AnTransformer.Export.HuggingFace;

/// <summary>
/// A model's weights as transformers divides them: one file, or <c>model-00001-of-0000N.safetensors</c> with a list.
/// </summary>
internal static class WeightShards
{
    /// <summary>Writes the files.</summary>
    /// <param name="directory">Where to.</param>
    /// <param name="rows">The matrices' numbers.</param>
    /// <param name="tensors">What to write, in order.</param>
    /// <param name="dtype">The type of all of them.</param>
    /// <param name="mostBytes">
    /// Of the tensors in one file, at most; a tensor that is larger by itself has a file of its own.
    /// </param>
    /// <exception cref="InvalidInputException">A number is too large for the type.</exception>
    public static void Write(
        string directory, MatrixRows rows, IReadOnlyList<TensorSource> tensors, ExportDtype dtype, long mostBytes)
    {
        var shards = Divide(tensors, dtype, mostBytes);
        if (shards.Count == 1)
        {
            TensorFile.Write(Path.Combine(directory, ModelCheckpoint.WeightsFile), rows, tensors, dtype);
            return;
        }

        string Name(int shard) => $"model-{shard + 1:D5}-of-{shards.Count:D5}.safetensors";
        for (var shard = 0; shard < shards.Count; shard++)
            TensorFile.Write(Path.Combine(directory, Name(shard)), rows, shards[shard], dtype);
        JsonText.WriteObject(Path.Combine(directory, ForeignWeights.IndexFile), json =>
        {
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", tensors.Sum(tensor => BytesOf(tensor, dtype)));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            for (var shard = 0; shard < shards.Count; shard++)
                shards[shard].ForEach(tensor => json.WriteString(tensor.Name, Name(shard)));
            json.WriteEndObject();
        });
    }

    private static List<List<TensorSource>> Divide(
        IReadOnlyList<TensorSource> tensors, ExportDtype dtype, long mostBytes)
    {
        var shards = new List<List<TensorSource>>();
        var room = 0L;
        foreach (var tensor in tensors)
        {
            var bytes = BytesOf(tensor, dtype);
            if (shards.Count == 0 || bytes > room)
            {
                shards.Add([]);
                room = mostBytes;
            }

            shards[^1].Add(tensor);
            room -= bytes;
        }

        return shards;
    }

    private static long BytesOf(TensorSource tensor, ExportDtype dtype)
        => tensor.Shape.Aggregate((long)SafetensorsEntry.SizeOf(dtype.ToSafetensors()), (size, n) => size * n);
}
