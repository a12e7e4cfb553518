using AnTransformer.Models;
using AnTransformer.Normalization;

namespace AnTransformer.Inspection;

/// <summary>
/// The norm √E‖x‖² of every activation as it follows from a model's configuration alone, under the assumption that directions are
/// spread: E‖Wx‖² = ‖W‖²_F/c · E‖x‖² for a matrix with c columns. For anGPT that is what the factors ν are made for, and it is 1 almost
/// everywhere (arXiv 2505.22014, section 3); with a factor off it is what remains. For nGPT it is the norm before the division by the
/// measured one. For GPT and GPT+ it follows from the variance of the initial weights, and holds at initialization only.
/// </summary>
public sealed class PredictedNorms
{
    private readonly Dictionary<(int? Layer, Activation Activation), Prediction> _table = [];
    private readonly ModelConfig _config;

    private PredictedNorms(ModelConfig config) => _config = config;

    /// <summary>The prediction for an activation; null where nothing simple can be said.</summary>
    /// <param name="layer">The block, from 0; null outside the blocks.</param>
    /// <param name="activation">The activation.</param>
    public Prediction? this[int? layer, Activation activation] => _table.GetValueOrDefault((layer, activation));

    /// <summary>The predictions for a model.</summary>
    /// <param name="config">The model; must be valid.</param>
    public static PredictedNorms For(ModelConfig config)
    {
        var norms = new PredictedNorms(config);
        switch (config.Architecture)
        {
            case Architecture.AnGpt:
                norms.AddAnGpt();
                break;
            case Architecture.NGpt:
                norms.AddNGpt();
                break;
            default:
                norms.AddGpt();
                break;
        }

        return norms;
    }

    private void AddAnGpt()
    {
        double d = _config.HiddenSize, dh = _config.HeadSize, f = _config.IntermediateSize;
        var nu = NormalizationFactors.For(_config);
        double h = 1;
        Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            var head = nu.Qkv * Math.Sqrt(dh / d) * h;
            var heads = Math.Sqrt(d / dh) * head;
            // ν_o is made for heads of the values' full norm; a mean of values that differ is shorter.
            var a = nu.Output * heads;
            Add(layer, Activation.AttentionInput, new(h));
            AddAttention(layer, head, heads, new(a));

            h = Interpolated(h, a, nu.Residual);
            var gateUp = nu.UpGate * Math.Sqrt(f / d) * h;
            var m = nu.Activation * gateUp * RootMeanSquareSilu(Math.Sqrt(d / f) * gateUp);
            var b = nu.Down * Math.Sqrt(d / f) * m;
            AddMlp(layer, new(h), h, gateUp, gateUp, m, new(b));

            h = Interpolated(h, b, nu.Residual);
            Add(layer, Activation.StreamAfterMlp, new(h));
        }

        Add(null, Activation.HeadInput, new(h));
        Add(null, Activation.Logits, new(Math.Sqrt(_config.VocabSize / d) * h));
    }

    private void AddNGpt()
    {
        double d = _config.HiddenSize, dh = _config.HeadSize, f = _config.IntermediateSize;
        var scale = _config.MlpScale.Init;
        var head = Math.Sqrt(dh / d);
        var m = scale * Math.Sqrt(f / d) * RootMeanSquareSilu(scale);
        Add(null, Activation.Embedding, new(1));
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            Add(layer, Activation.AttentionInput, new(1));
            AddAttention(layer, head, 1, Prediction.AtMost(1));
            AddMlp(layer, new(1), 1, scale * Math.Sqrt(f), scale * Math.Sqrt(f / d), m, new(m));     // W_d's f columns are unit vectors
            Add(layer, Activation.StreamAfterMlp, new(1));
        }

        Add(null, Activation.HeadInput, new(1));
        Add(null, Activation.Logits, new(Math.Sqrt(_config.VocabSize / d)));
    }

    private void AddGpt()
    {
        double d = _config.HiddenSize, dh = _config.HeadSize, f = _config.IntermediateSize;
        var normalized = Math.Sqrt(d);
        // W_o and W_d are drawn with variance 1/(2Ld), all other matrices with 1/d.
        var outputs = 1 / Math.Sqrt(2 * _config.NumHiddenLayers);
        var a = Math.Sqrt(d) * outputs;
        var m = Math.Sqrt(f) * RootMeanSquareSilu(1);
        var b = m * outputs;
        double h = 1;
        Add(null, Activation.Embedding, new(h));
        for (var layer = 0; layer < _config.NumHiddenLayers; layer++)
        {
            Add(layer, Activation.AttentionInput, new(normalized));
            AddAttention(layer, Math.Sqrt(dh), Math.Sqrt(d), Prediction.AtMost(a));
            h = Math.Sqrt((h * h) + (a * a));
            AddMlp(layer, Prediction.AtMost(h), normalized, Math.Sqrt(f), Math.Sqrt(f), m, new(b));
            h = Math.Sqrt((h * h) + (b * b));
            Add(layer, Activation.StreamAfterMlp, Prediction.AtMost(h));
        }

        Add(null, Activation.HeadInput, new(normalized));
        Add(null, Activation.Logits, new(Math.Sqrt(_config.VocabSize)));
    }

    private void AddAttention(int layer, double head, double heads, Prediction output)
    {
        Add(layer, Activation.Query, new(head));
        Add(layer, Activation.Key, new(head));
        Add(layer, Activation.Value, new(head));
        Add(layer, Activation.AttentionHead, Prediction.AtMost(head));
        Add(layer, Activation.Attention, Prediction.AtMost(heads));
        Add(layer, Activation.AttentionOutput, output);
    }

    private void AddMlp(int layer, Prediction stream, double input, double gate, double up, double gated, Prediction output)
    {
        Add(layer, Activation.StreamAfterAttention, stream);
        Add(layer, Activation.MlpInput, new(input));
        Add(layer, Activation.Gate, new(gate));
        Add(layer, Activation.Up, new(up));
        Add(layer, Activation.Gated, new(gated));
        Add(layer, Activation.MlpOutput, output);
    }

    private void Add(int? layer, Activation activation, Prediction prediction) => _table.Add((layer, activation), prediction);

    /// <summary>√E‖ν(α)((1−α)h + αx)‖² of independent h and x, at α's initial value.</summary>
    private double Interpolated(double h, double x, bool normalize)
    {
        var alpha = _config.Alpha.Init;
        var mixed = Math.Sqrt(Math.Pow((1 - alpha) * h, 2) + Math.Pow(alpha * x, 2));
        return normalize ? NormalizationFactors.OfResidual(alpha) * mixed : mixed;
    }

    /// <summary>√E[SiLU(z)²], z ~ N(0, σ²).</summary>
    private static double RootMeanSquareSilu(double deviation) => 1 / NormalizationFactors.OfActivation(NormalizationFactors.Silu, deviation);
}
