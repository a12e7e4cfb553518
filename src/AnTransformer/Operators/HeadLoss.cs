using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>Head and cross-entropy: −log softmax(s_z ⊙ W f(h))[target] of each token, in nats.</summary>
/// <param name="Input">The stream after the last block, [B, T, d], or a function of it.</param>
/// <param name="Head">W, [V, d].</param>
/// <param name="Scales">s_z, or null.</param>
/// <param name="Targets">int64, [B, T].</param>
internal readonly record struct HeadLoss(LinearInput Input, Projection Head, RowScales? Scales, Tensor Targets)
{
    /// <summary>Dtypes, device and backend.</summary>
    public ModelContext Context => Head.Context;

    /// <summary>Whether anything that the loss depends on wants a gradient.</summary>
    public bool NeedsGraph
        => AutogradNode.IsNeeded([Input.Source, Input.Gain, Head.Weight, .. Scales?.Parameters ?? []]);

    /// <summary>The mean over all tokens.</summary>
    /// <returns>A scalar in the master dtype.</returns>
    public Tensor Mean() => Context.Operators.Loss(this);

    /// <summary>The loss of each token.</summary>
    /// <returns>Shape [B, T] in the master dtype.</returns>
    public Tensor PerToken() => Context.Operators.TokenLosses(this);

    /// <summary>Logits s_z ⊙ W f(h), [B, T, V], in the master dtype.</summary>
    public Tensor Logits() => Context.ToMaster(new LinearMap(Input, [Head], Scales: Scales).Apply());
}
