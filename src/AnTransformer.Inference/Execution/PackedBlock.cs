using AnTransformer.Configuration;
using AnTransformer.Graphs;
using AnTransformer.Inference.Weights;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>
/// A block as it is run: matrices that read the same input side by side, and the kernels of what lies between them.
/// </summary>
internal sealed class PackedBlock : IDisposable
{
    private PackedBlock(
        RowFunction attentionInput, PackedMatrix[] projections, QueryKeyKernel queryKey, PackedMatrix[] output,
        StreamUpdate attentionUpdate, RowFunction mlpInput, PackedMatrix gate, PackedMatrix up, PackedMatrix[] down,
        StreamUpdate mlpUpdate)
    {
        (AttentionInput, Projections, QueryKey, Output, AttentionUpdate)
            = (attentionInput, projections, queryKey, output, attentionUpdate);
        (MlpInput, Gate, Up, Down, MlpUpdate) = (mlpInput, gate, up, down, mlpUpdate);
    }

    public RowFunction AttentionInput { get; }

    /// <summary>W_q, W_k, W_v.</summary>
    public PackedMatrix[] Projections { get; }

    public QueryKeyKernel QueryKey { get; }

    /// <summary>W_o.</summary>
    public PackedMatrix[] Output { get; }

    public StreamUpdate AttentionUpdate { get; }

    public RowFunction MlpInput { get; }

    public PackedMatrix Gate { get; }

    public PackedMatrix Up { get; }

    /// <summary>W_d.</summary>
    public PackedMatrix[] Down { get; }

    public StreamUpdate MlpUpdate { get; }

    /// <summary>All matrices.</summary>
    public IEnumerable<PackedMatrix> Matrices => [.. Projections, .. Output, Gate, Up, .. Down];

    /// <summary>A block of a graph.</summary>
    /// <typeparam name="V">The vector.</typeparam>
    /// <param name="graph">The block.</param>
    /// <param name="shape">Of its attention.</param>
    /// <param name="weights">Where its matrices come from.</param>
    public static PackedBlock Of<V>(BlockGraph graph, AttentionShape shape, WeightLoader weights)
        where V : struct, ISimd<V>
    {
        var (attention, mlp) = graph;
        return new PackedBlock(
            RowFunction.Of(attention.Input),
            [weights.Load(attention.Query), weights.Load(attention.Key), weights.Load(attention.Value)],
            new QueryKeyKernel(attention, shape),
            [weights.Load(attention.Output)],
            StreamUpdate.Of<V>(attention.Update),
            RowFunction.Of(mlp.Input),
            weights.Load(mlp.Gate),
            weights.Load(mlp.Up),
            [weights.Load(mlp.Down)],
            StreamUpdate.Of<V>(mlp.Update));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AttentionInput.Dispose();
        QueryKey.Dispose();
        AttentionUpdate.Dispose();
        MlpInput.Dispose();
        MlpUpdate.Dispose();
    }
}
