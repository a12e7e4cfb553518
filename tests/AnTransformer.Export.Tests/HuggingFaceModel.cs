using System.Text.Json;
using AnTransformer.Checkpoints;

namespace AnTransformer.Export.Tests;

/// <summary>
/// Hugging Face's <c>modeling_llama.py</c> and <c>modeling_qwen3.py</c>, written down again from their published formulas with nothing of
/// this program but the reader of safetensors: every size comes from <c>config.json</c>, every number from <c>model.safetensors</c>.
/// </summary>
internal sealed class HuggingFaceModel
{
    private readonly JsonElement _config;
    private readonly Dictionary<string, double[]> _tensors = [];
    private readonly int _d;
    private readonly int _heads;
    private readonly int _keyValueHeads;
    private readonly int _headDim;
    private readonly double _epsilon;

    public HuggingFaceModel(string directory)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "config.json")));
        _config = document.RootElement.Clone();
        using var file = SafetensorsFile.Open(Path.Combine(directory, "model.safetensors"));
        foreach (var name in file.Names)
        {
            _tensors[name] = new double[file[name].ElementCount];
            file.CopyTo(name, _tensors[name]);
        }

        (_d, _heads) = (Int("hidden_size"), Int("num_attention_heads"));
        (_keyValueHeads, _headDim) = (Int("num_key_value_heads"), Int("head_dim"));
        _epsilon = _config.GetProperty("rms_norm_eps").GetDouble();
    }

    /// <summary>Logits [T][V] of one sequence.</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        var embedding = _tensors["model.embed_tokens.weight"];
        var hidden = tokens.Select(id => embedding[(id * _d)..((id + 1) * _d)]).ToArray();
        for (var layer = 0; layer < Int("num_hidden_layers"); layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var normed = Norm(hidden, prefix + "input_layernorm.weight");
            Add(hidden, Linear(Attention(normed, prefix + "self_attn."), prefix + "self_attn.o_proj.weight", _d));
            normed = Norm(hidden, prefix + "post_attention_layernorm.weight");
            var f = Int("intermediate_size");
            var gate = Linear(normed, prefix + "mlp.gate_proj.weight", f);
            var up = Linear(normed, prefix + "mlp.up_proj.weight", f);
            var product = gate.Zip(up, (g, u) => g.Zip(u, (x, y) => x / (1 + Math.Exp(-x)) * y).ToArray()).ToArray();
            Add(hidden, Linear(product, prefix + "mlp.down_proj.weight", _d));
        }

        var tied = _config.GetProperty("tie_word_embeddings").GetBoolean();
        return Linear(
            Norm(hidden, "model.norm.weight"), tied ? "model.embed_tokens.weight" : "lm_head.weight", Int("vocab_size"));
    }

    private double[][] Attention(double[][] x, string prefix)
    {
        var q = Linear(x, prefix + "q_proj.weight", _heads * _headDim);
        var k = Linear(x, prefix + "k_proj.weight", _keyValueHeads * _headDim);
        var v = Linear(x, prefix + "v_proj.weight", _keyValueHeads * _headDim);
        var qwen3 = _config.GetProperty("model_type").GetString() == "qwen3";
        var result = new double[x.Length][];
        for (var t = 0; t < x.Length; t++)
        {
            result[t] = new double[_heads * _headDim];
            Prepare(q[t], qwen3 ? prefix + "q_norm.weight" : null, t);
            Prepare(k[t], qwen3 ? prefix + "k_norm.weight" : null, t);
            for (var head = 0; head < _heads; head++)
            {
                var shared = head / (_heads / _keyValueHeads);
                var scores = Enumerable.Range(0, t + 1).Select(s => Enumerable.Range(0, _headDim)
                    .Sum(i => q[t][(head * _headDim) + i] * k[s][(shared * _headDim) + i]) / Math.Sqrt(_headDim)).ToArray();
                var largest = scores.Max();
                var weights = scores.Select(score => Math.Exp(score - largest)).ToArray();
                var sum = weights.Sum();
                for (var s = 0; s <= t; s++)
                {
                    for (var i = 0; i < _headDim; i++)
                        result[t][(head * _headDim) + i] += weights[s] / sum * v[s][(shared * _headDim) + i];
                }
            }
        }

        return result;
    }

    /// <summary>Norm of each head, then rotate_half's positions.</summary>
    private void Prepare(double[] row, string? norm, int position)
    {
        var theta = _config.GetProperty("rope_parameters").GetProperty("rope_theta").GetDouble();
        for (var start = 0; start < row.Length; start += _headDim)
        {
            var head = row[start..(start + _headDim)];
            if (norm is not null)
                head = Norm([head], norm)[0];
            for (var i = 0; i < _headDim; i++)
            {
                var angle = position / Math.Pow(theta, 2.0 * (i % (_headDim / 2)) / _headDim);
                var rotated = i < _headDim / 2 ? -head[i + (_headDim / 2)] : head[i - (_headDim / 2)];
                row[start + i] = (head[i] * Math.Cos(angle)) + (rotated * Math.Sin(angle));
            }
        }
    }

    private double[][] Norm(double[][] x, string weight) => [.. x.Select(row =>
    {
        var factor = 1 / Math.Sqrt(row.Average(value => value * value) + _epsilon);
        return row.Select((value, i) => _tensors[weight][i] * value * factor).ToArray();
    })];

    private double[][] Linear(double[][] x, string weight, int outputs) => [.. x.Select(row =>
    {
        var w = _tensors[weight];
        Assert.Equal(outputs * row.Length, w.Length);
        return Enumerable.Range(0, outputs).Select(o =>
        {
            var sum = 0.0;
            for (var i = 0; i < row.Length; i++)
                sum += w[(o * row.Length) + i] * row[i];
            return sum;
        }).ToArray();
    })];

    private static void Add(double[][] x, double[][] y)
    {
        for (var t = 0; t < x.Length; t++)
        {
            for (var i = 0; i < x[t].Length; i++)
                x[t][i] += y[t][i];
        }
    }

    private int Int(string name) => _config.GetProperty(name).GetInt32();
}
