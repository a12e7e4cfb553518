using System.Runtime.Intrinsics;
using AnTransformer.Checkpoints;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>
/// A pass of tokens through a model on a team of threads. All threads run the whole program and meet after each
/// product.
/// </summary>
/// <remarks>
/// For a few tokens every thread keeps the residual stream of all of them for itself and computes what lies between
/// products again: that costs less than two more meetings. For many tokens each thread has its share of rows.
/// </remarks>
internal abstract unsafe class DecoderPass : IDisposable
{
    /// <summary>Most tokens of a pass; longer texts are read in parts.</summary>
    public const int MostTokens = 512;

    /// <summary>Positions of a panel of keys.</summary>
    public abstract int Panel { get; }

    /// <summary>Bytes of all matrices that a decoded token reads.</summary>
    public abstract long WeightBytes { get; }

    /// <summary>Bytes of weights outside the file's mapping.</summary>
    public abstract long PackedBytes { get; }

    /// <summary>A pass on this processor's widest vectors.</summary>
    /// <param name="checkpoint">Outlives the pass.</param>
    /// <param name="options">What matrices are packed to, and where.</param>
    /// <param name="team">Outlives the pass.</param>
    /// <exception cref="InvalidInputException">Numbers of a matrix exceed what the dtype holds.</exception>
    public static DecoderPass Create(GraphCheckpoint checkpoint, InferenceOptions options, ThreadTeam team)
        => Vector512.IsHardwareAccelerated ? new DecoderPass<Simd512>(checkpoint, options, team)
            : Vector256.IsHardwareAccelerated ? new DecoderPass<Simd256>(checkpoint, options, team)
            : new DecoderPass<Simd128>(checkpoint, options, team);

    /// <summary>Reads tokens: their keys and values join their sequences' stores.</summary>
    /// <param name="parts">Sequences, each once; rows in order and without gaps.</param>
    /// <param name="tokens">The token of each row.</param>
    /// <param name="outputs">Rows whose logits are wanted, ascending.</param>
    /// <returns>[outputs, V], until the next pass.</returns>
    public abstract float* Run(ReadOnlySpan<SequencePart> parts, ReadOnlySpan<int> tokens, ReadOnlySpan<int> outputs);

    /// <inheritdoc/>
    public abstract void Dispose();
}
