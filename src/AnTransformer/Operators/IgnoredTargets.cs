using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>Positions without a target, as PyTorch's <c>cross_entropy</c> marks them.</summary>
public static class IgnoredTargets
{
    /// <summary>The target of a position that nothing is to be predicted at: PyTorch's <c>ignore_index</c>.</summary>
    public const long Index = -100;

    /// <summary>
    /// The rows that have a target, so that the head's product, the largest of a small model, runs over these alone.
    /// Their gradients go back to their places; all other rows' are zero.
    /// </summary>
    /// <param name="h">The stream after the last block, [B, T, d].</param>
    /// <param name="targets">
    /// int64, [B, T], with <see cref="Index"/>; on the CPU also where the stream is on another device, so that finding
    /// the positions waits for nothing.
    /// </param>
    /// <returns>
    /// Rows [1, N, d] and targets [1, N] on the stream's device; the arguments where no position has a target.
    /// </returns>
    internal static (Tensor Rows, Tensor Targets) LeaveOut(Tensor h, Tensor targets)
    {
        var flat = targets.flatten();
        var positions = flat.ne(Index).nonzero().flatten();
        if (positions.numel() == 0 || flat.numel() != h.numel() / h.shape[^1])
            return (h, targets.to(h.device));
        var rows = h.reshape(-1, h.shape[^1]).index_select(0, positions.to(h.device));
        return (rows.unsqueeze(0), flat.index_select(0, positions).to(h.device).unsqueeze(0));
    }
}
