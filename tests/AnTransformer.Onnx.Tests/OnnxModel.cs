using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using Microsoft.ML.OnnxRuntime;

namespace AnTransformer.Onnx.Tests;

/// <summary>An exported graph in ONNX Runtime, and the keys and values of what it has read.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly bool _hasCache;
    private readonly AttentionShape _shape;
    private readonly int _layers;
    private Dictionary<string, (float[] Data, long[] Shape)> _past = [];

    public OnnxModel(string directory, ModelConfig config)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        _session = new InferenceSession(Path.Combine(directory, "onnx", "model.onnx"), options);
        (_shape, _layers) = (config.Attention, config.NumHiddenLayers);
        _hasCache = config.IsCausal;
        Reset();
    }

    public IReadOnlyCollection<string> Inputs => [.. _session.InputMetadata.Keys];

    public IReadOnlyCollection<string> Outputs => [.. _session.OutputMetadata.Keys];

    /// <summary>Forgets what was read.</summary>
    public void Reset()
    {
        _past = [];
        for (var layer = 0; _hasCache && layer < _layers; layer++)
        {
            foreach (var kind in (string[])["key", "value"])
                _past[$"{layer}.{kind}"] = ([], [0, _shape.KeyValueHeads, 0, _shape.HeadSize]);
        }
    }

    /// <summary>Reads tokens, and keeps their keys and values.</summary>
    /// <param name="tokens">[B, T].</param>
    /// <param name="mask">[B, P + T]; null for ones.</param>
    /// <param name="positions">[B, T]; null for those that follow what was read.</param>
    /// <returns>Logits, [B, T, V] as [B][T·V].</returns>
    public float[][] Read(long[][] tokens, long[][]? mask = null, long[][]? positions = null)
    {
        var (batch, count) = (tokens.Length, tokens[0].Length);
        var past = _hasCache ? _past["0.key"].Shape[2] : 0;
        mask ??= [.. tokens.Select(_ => Enumerable.Repeat(1L, (int)past + count).ToArray())];
        positions ??= [.. tokens.Select(_ => Enumerable.Range((int)past, count).Select(position => (long)position).ToArray())];
        var inputs = new Dictionary<string, OrtValue>(StringComparer.Ordinal)
        {
            ["input_ids"] = Integers(tokens),
            ["attention_mask"] = Integers(mask),
            ["position_ids"] = Integers(positions),
        };
        foreach (var (name, (data, shape)) in _past)
        {
            shape[0] = batch;
            inputs["past_key_values." + name] = OrtValue.CreateTensorValueFromMemory(data, shape);
        }

        using var outputs = _session.Run(_run, inputs, _session.OutputNames);
        foreach (var input in inputs.Values)
            input.Dispose();
        var byName = _session.OutputNames.Zip(outputs).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
        foreach (var name in _past.Keys.ToList())
        {
            var value = byName["present." + name];
            _past[name] = (value.GetTensorDataAsSpan<float>().ToArray(), value.GetTensorTypeAndShape().Shape);
        }

        var logits = byName["logits"].GetTensorDataAsSpan<float>().ToArray();
        return logits.Chunk(logits.Length / batch).ToArray();
    }

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    private static OrtValue Integers(long[][] values)
        => OrtValue.CreateTensorValueFromMemory(values.SelectMany(row => row).ToArray(), [values.Length, values[0].Length]);
}

/// <summary>A small model, and what an independent float64 program computed with it.</summary>
internal sealed class Fixture : IDisposable
{
    private readonly SafetensorsFile _expected;

    public Fixture(string name)
    {
        Directory = Path.Combine(AppContext.BaseDirectory, "fixtures", name);
        Config = ModelConfigJson.Load(Path.Combine(Directory, "config.json"));
        _expected = SafetensorsFile.Open(Path.Combine(Directory, "expected.safetensors"));
        var flat = new long[_expected["tokens"].ElementCount];
        _expected.CopyTo("tokens", flat);
        Tokens = [.. flat.Chunk((int)_expected["tokens"].Shape[1])];
        var logits = new float[_expected["logits"].ElementCount];
        _expected.CopyTo("logits", logits);
        Logits = [.. logits.Chunk(logits.Length / Tokens.Length)];
    }

    public static TheoryData<string> Names =>
    [
        .. System.IO.Directory.GetDirectories(Path.Combine(AppContext.BaseDirectory, "fixtures"))
            .Where(path => File.Exists(Path.Combine(path, "expected.safetensors"))).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal),
    ];

    public string Directory { get; }

    public ModelConfig Config { get; }

    /// <summary>[B][T].</summary>
    public long[][] Tokens { get; }

    /// <summary>[B][T·V].</summary>
    public float[][] Logits { get; }

    public void Dispose() => _expected.Dispose();
}
