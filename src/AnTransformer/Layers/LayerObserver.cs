using AnTransformer.Configuration;
using AnTransformer.Operators;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>What a block tells an observer about itself: two sentences, one per residual update.</summary>
/// <param name="observer">The listener.</param>
/// <param name="layer">The block, from 0.</param>
/// <param name="shape">The shape of its attention.</param>
public sealed class LayerObserver(IActivationObserver observer, int layer, AttentionShape shape)
{
    /// <summary>Tells of attention.</summary>
    /// <param name="input">What the projections are applied to, [B, T, d].</param>
    /// <param name="qkv">Queries, keys and values before normalization, [B, T, (H + 2K)·d_h].</param>
    /// <param name="heads">The concatenated heads, [B, T, H·d_h].</param>
    /// <param name="output">What the residual update adds, [B, T, d].</param>
    public void Attention(LinearInput input, Tensor qkv, Tensor heads, Tensor output)
    {
        using var scope = NewDisposeScope();
        var parts = qkv.split([shape.QueryWidth, shape.KeyValueWidth, shape.KeyValueWidth], -1);
        Observe(Activation.AttentionInput, input.Eager());
        Observe(Activation.Query, parts[0]);
        Observe(Activation.Key, parts[1]);
        Observe(Activation.Value, parts[2]);
        Observe(Activation.AttentionHead, heads);
        Observe(Activation.Attention, heads);
        Observe(Activation.AttentionOutput, output);
    }

    /// <summary>Tells of the MLP, and of the stream that attention left.</summary>
    /// <param name="stream">The stream after attention, [B, T, d].</param>
    /// <param name="input">What gate and up are applied to, [B, T, d].</param>
    /// <param name="gateUp">g and u, [B, T, 2f].</param>
    /// <param name="gated">m as a function of them, [B, T, f].</param>
    /// <param name="output">What the residual update adds, [B, T, d].</param>
    /// <param name="gatedFactor">ν_act, where it is part of W_d's factor.</param>
    public void Mlp(
        Tensor stream, LinearInput input, Tensor gateUp, LinearInput gated, Tensor output, double gatedFactor = 1)
    {
        using var scope = NewDisposeScope();
        var parts = gateUp.chunk(2, -1);
        Observe(Activation.StreamAfterAttention, stream);
        Observe(Activation.MlpInput, input.Eager());
        Observe(Activation.Gate, parts[0]);
        Observe(Activation.Up, parts[1]);
        Observe(Activation.Gated, gated.Eager() * gatedFactor);
        Observe(Activation.MlpOutput, output);
    }

    /// <summary>Tells of one value.</summary>
    /// <param name="activation">Which.</param>
    /// <param name="value">Shape [B, T, n].</param>
    public void Observe(Activation activation, Tensor value) => observer.Observe(layer, activation, value);
}
