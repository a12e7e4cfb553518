using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>
/// Hears of every value in a forward pass. Where a fused operator does not expose a value, it is computed once more for
/// the observer alone, by the same formula: a pass that is observed computes the same results, and one that is not does
/// nothing extra.
/// </summary>
public interface IActivationObserver
{
    /// <summary>Takes in a value.</summary>
    /// <param name="layer">The block, from 0; null for what lies outside the blocks.</param>
    /// <param name="activation">Which value.</param>
    /// <param name="value">Shape [..., n], in any dtype; valid during the call only.</param>
    void Observe(int? layer, Activation activation, Tensor value);
}
