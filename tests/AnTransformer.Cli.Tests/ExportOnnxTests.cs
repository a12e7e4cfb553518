namespace AnTransformer.Cli.Tests;

public sealed class ExportOnnxTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public void Dispose() => _angpt.Dispose();

    [Fact]
    public void A_trained_model_becomes_a_directory_of_all_that_programs_want()
    {
        _angpt.Train("--training.steps", "1").AssertSucceeded();
        var made = _angpt.Run("export", "run", "--format", "onnx", "-o", "made", "--json").AssertSucceeded().Json;
        var files = made.GetProperty("files").EnumerateObject().Select(file => file.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var file in (string[])
            ["config.json", "genai_config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", Path.Combine("onnx", "model.onnx")])
        {
            Assert.Contains(file, files);
        }

        var half = _angpt.Run("export", "run", "--format", "onnx", "--dtype", "f16", "-o", "half", "--json").AssertSucceeded().Json;
        Assert.True(Size(half) < 0.75 * Size(made));

        _angpt.Run("export", "run", "--format", "onnx", "-o", "made").AssertRejected("'made' exists");
        foreach (var dtype in (string[])["q8_0", "bf16", "f64"])
        {
            _angpt.Run("export", "run", "--format", "onnx", "--dtype", dtype, "-o", "other").AssertRejected($"onnx has no type {dtype}", "f32, f16");
            Assert.Empty(Directory.GetFileSystemEntries(_angpt.Folder, "*other*"));
        }

        static long Size(System.Text.Json.JsonElement made)
            => made.GetProperty("files").GetProperty(Path.Combine("onnx", "model.onnx")).GetInt64();
    }
}
