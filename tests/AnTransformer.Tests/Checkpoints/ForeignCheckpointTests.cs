using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Operators;

namespace AnTransformer.Tests.Checkpoints;

public sealed class ForeignCheckpointTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("model.safetensors.index.json", """{"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "1.safetensors"}}""", "2 of them")]
    [InlineData("model.safetensors.index.json", "damaged", "spread over several files")]
    [InlineData("pytorch_model.bin", "PK\u0003\u0004", "pickled PyTorch weights")]
    [InlineData("pytorch_model-00001-of-00002.bin", "", "pickled PyTorch weights")]
    [InlineData("anything.bin", "PK\u0003\u0004....", "pickled PyTorch weights")]
    [InlineData("consolidated.00.pth", "", "pickled PyTorch weights")]
    [InlineData("model-q4.gguf", "", "GGUF")]
    [InlineData("renamed", "GGUF\u0003\0\0\0", "GGUF")]
    [InlineData("ggml-model.ggml", "", "GGML")]
    [InlineData("tf_model.h5", "", "TensorFlow")]
    [InlineData("flax_model.msgpack", "", "Flax")]
    [InlineData("adapter_model.safetensors", "", "adapter")]
    [InlineData("model-00001-of-00002.safetensors", "", "one of several files")]
    public void Checkpoints_of_other_libraries_are_named(string name, string content, string kind)
    {
        File.WriteAllText(Path.Combine(_directory.Path, "config.json"), Config);
        File.WriteAllText(Path.Combine(_directory.Path, name), content);
        var error = Assert.Throws<InvalidInputException>(() => ModelCheckpoint.Load(_directory.Path, ModelContext.Default));
        Assert.Contains(kind, error.Message, StringComparison.Ordinal);
        Assert.Contains(_directory.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(kind is not ("2 of them" or "spread over several files"), ForeignCheckpoint.DescribeFile(Path.Combine(_directory.Path, name)) is not null);
    }

    [Theory]
    [InlineData("quantization_config", """{"quant_method": "gptq"}""", "quantized")]
    [InlineData("model_type", "\"mistral\"", "a Hugging Face model of another architecture")]
    [InlineData("model_type", "\"llama\"", "angpt import")]
    [InlineData("model_type", "\"\\ud800\"", "model_type is not valid Unicode")]
    [InlineData("constraint", "\"\\udc00x\"", "constraint is not valid Unicode")]
    [InlineData("\\ud800", "1", "a key is not valid Unicode")]
    public void Configurations_that_cannot_be_read_are_refused(string key, string value, string message)
    {
        var json = Config.Replace("{", $"{{\"{key}\": {value}, \"architectures\": [\"X\"], ", StringComparison.Ordinal);
        if (key == "model_type")
            json = json.Replace(", \"model_type\": \"gpt\"", "", StringComparison.Ordinal);
        var error = Assert.Throws<InvalidInputException>(() => ModelConfigJson.Parse(json, "config.json"));
        Assert.StartsWith("config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private const string Config =
        """{"vocab_size": 10, "model_type": "gpt", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "max_position_embeddings": 8}""";
}
