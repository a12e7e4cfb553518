using System.Text.Json;

namespace AnTransformer.Checkpoints;

/// <summary>
/// Names the checkpoints of other libraries, so that a message can say what lies in a directory or file.
/// </summary>
public static class ForeignCheckpoint
{
    private const string Needed = "AnTransformer reads " + ModelCheckpoint.ConfigFile + " with "
        + ModelCheckpoint.WeightsFile + " of its own architectures";

    /// <summary>
    /// What a directory without <c>model.safetensors</c> has instead, as a sentence; null for nothing known.
    /// </summary>
    /// <param name="directory">An existing directory.</param>
    public static string? DescribeDirectory(string directory)
    {
        var index = Path.Combine(directory, ModelCheckpoint.WeightsFile + ".index.json");
        if (File.Exists(index))
        {
            return $"{directory}: the weights are spread over several files ({Path.GetFileName(index)} lists "
                + $"{Shards(index)}), which is not supported; "
                + $"join them into one {ModelCheckpoint.WeightsFile} (save_pretrained with a larger max_shard_size), "
                + "or make a checkpoint of a Llama or "
                + "Qwen3 model by `angpt import`.";
        }

        return Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).Select(DescribeFile)
            .FirstOrDefault(sentence => sentence is not null);
    }

    /// <summary>What a file of weights is if it is not safetensors, as a sentence; null for nothing known.</summary>
    /// <param name="path">An existing file.</param>
    public static string? DescribeFile(string path)
    {
        var name = Path.GetFileName(path);
        if (name is "pytorch_model.bin" or "pytorch_model.bin.index.json"
            || name.StartsWith("pytorch_model-", StringComparison.Ordinal)
            || Path.GetExtension(name) is ".pt" or ".pth" or ".ckpt"
            || (Path.GetExtension(name) == ".bin" && StartsWith(path, "PK\u0003\u0004"u8)))
        {
            return $"{path}: holds pickled PyTorch weights, which can run code when they are read and are not "
                + "supported; convert them to safetensors "
                + $"({Needed}).";
        }

        if (Path.GetExtension(name) == ".gguf" || StartsWith(path, "GGUF"u8))
            return $"{path}: is a GGUF file of llama.cpp, which is not supported; {Needed}.";
        if (Path.GetExtension(name) == ".ggml" || StartsWith(path, "ggml"u8) || StartsWith(path, "lmgg"u8))
            return $"{path}: is a GGML file of llama.cpp, which is not supported; {Needed}.";
        if (name == "tf_model.h5" || StartsWith(path, [0x89, (byte)'H', (byte)'D', (byte)'F']))
            return $"{path}: holds TensorFlow weights, which are not supported; {Needed}.";
        if (name is "flax_model.msgpack")
            return $"{path}: holds Flax weights, which are not supported; {Needed}.";
        if (name is "adapter_model.safetensors" or "adapter_config.json")
            return $"{path}: is an adapter (LoRA) without the model it belongs to, which is not supported; {Needed}.";
        return name.EndsWith(".safetensors", StringComparison.Ordinal) && name != ModelCheckpoint.WeightsFile
            && name.Contains("-of-", StringComparison.Ordinal)
                ? $"{path}: is one of several files of weights, which is not supported; join them into one "
                    + $"{ModelCheckpoint.WeightsFile}."
                : null;
    }

    private static string Shards(string index)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(index));
            return json.RootElement.TryGetProperty("weight_map", out var map)
                ? $"{map.EnumerateObject().Select(member => member.Value.GetString()).Distinct().Count()} of them"
                : "them";
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return "them";
        }
    }

    private static bool StartsWith(string path, ReadOnlySpan<byte> magic)
    {
        try
        {
            // Pipes and devices have no length, and reading them would wait.
            if (new FileInfo(path) is not { Length: >= 8 } file || file.Attributes.HasFlag(FileAttributes.Directory))
                return false;
            using var stream = File.OpenRead(path);
            Span<byte> start = stackalloc byte[8];
            return start[..stream.ReadAtLeast(start[..magic.Length], magic.Length, throwOnEndOfStream: false)]
                .SequenceEqual(magic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
