using AnTransformer.Configuration;
using AnTransformer.Layers;
using AnTransformer.Normalization;

namespace AnTransformer.Architectures;

/// <summary>
/// The norm √E‖x‖² of every activation as it follows from a model's configuration alone, under the assumption that
/// directions are spread: E‖Wx‖² = ‖W‖²_F/c · E‖x‖² for a matrix with c columns. For anGPT that is what the factors ν
/// are made for, and it is 1 almost everywhere (arXiv 2505.22014, section 3); with a factor off it is what remains.
/// Each architecture's definition fills the table.
/// </summary>
public sealed class PredictedNorms
{
    private readonly Dictionary<(int? Layer, Activation Activation), Prediction> _table = [];

    /// <summary>
    /// Whether it follows from the variance of the initial weights, and so is not expected to hold after training.
    /// </summary>
    public bool HoldsAtInitializationOnly { get; init; }

    /// <summary>The prediction for an activation; null where nothing simple can be said.</summary>
    /// <param name="layer">The block, from 0; null outside the blocks.</param>
    /// <param name="activation">The activation.</param>
    public Prediction? this[int? layer, Activation activation] => _table.GetValueOrDefault((layer, activation));

    /// <summary>The predictions for a model.</summary>
    /// <param name="config">The model; must be valid.</param>
    public static PredictedNorms For(ModelConfig config)
        => ArchitectureRegistry.Get(config.Architecture).PredictNorms(config);

    /// <summary>√E[SiLU(z)²], z ~ N(0, σ²).</summary>
    /// <param name="deviation">σ.</param>
    public static double RootMeanSquareSilu(double deviation)
        => 1 / NormalizationFactors.OfActivation(NormalizationFactors.Silu, deviation);

    /// <summary>Adds a prediction.</summary>
    /// <param name="layer">The block, from 0; null outside the blocks.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="prediction">Its norm.</param>
    public void Add(int? layer, Activation activation, Prediction prediction)
        => _table.Add((layer, activation), prediction);

    /// <summary>Adds the predictions of a block's attention.</summary>
    /// <param name="layer">The block.</param>
    /// <param name="head">Norm of a head's query, key and value.</param>
    /// <param name="heads">Norm of all heads' values together.</param>
    /// <param name="output">Norm of W_o's output.</param>
    public void AddAttention(int layer, double head, double heads, Prediction output)
    {
        Add(layer, Activation.Query, new(head));
        Add(layer, Activation.Key, new(head));
        Add(layer, Activation.Value, new(head));
        Add(layer, Activation.AttentionHead, Prediction.AtMost(head));
        Add(layer, Activation.Attention, Prediction.AtMost(heads));
        Add(layer, Activation.AttentionOutput, output);
    }

    /// <summary>Adds the predictions of a block's MLP.</summary>
    /// <param name="layer">The block.</param>
    /// <param name="stream">Norm of the stream before it.</param>
    /// <param name="input">Norm of its input.</param>
    /// <param name="gate">Norm of the gate.</param>
    /// <param name="up">Norm of the up map's output.</param>
    /// <param name="gated">Norm of the gated product.</param>
    /// <param name="output">Norm of W_d's output.</param>
    public void AddMlp(
        int layer, Prediction stream, double input, double gate, double up, double gated, Prediction output)
    {
        Add(layer, Activation.StreamAfterAttention, stream);
        Add(layer, Activation.MlpInput, new(input));
        Add(layer, Activation.Gate, new(gate));
        Add(layer, Activation.Up, new(up));
        Add(layer, Activation.Gated, new(gated));
        Add(layer, Activation.MlpOutput, output);
    }
}
