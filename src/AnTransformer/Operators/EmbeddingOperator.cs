using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Rows of a table by token; the gradient is added to the table's gradient in place and in the tokens' order.
/// </summary>
internal static unsafe class EmbeddingOperator
{
    private const int ColumnBlock = 64;

    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(Tensor tokens, Parameter table)
        => FusedKernels.ArePlain(table) && tokens.dtype == ScalarType.Int64
            && tokens.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>Looks tokens up.</summary>
    /// <param name="tokens">Ids, int64, [...].</param>
    /// <param name="table">[V, d].</param>
    /// <returns>Shape [..., d].</returns>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the table.</exception>
    public static Tensor Apply(Tensor tokens, Parameter table)
    {
        Dispatch.Record(Operation.Embedding, DispatchPath.Fused);
        using var ids = tokens.contiguous();
        var (count, rows, width) = (ids.numel(), table.shape[0], table.shape[1]);
        var index = TensorMemory.Longs(ids);
        for (long i = 0; i < count; i++)
        {
            if ((ulong)index[i] >= (ulong)rows)
                throw new ArgumentOutOfRangeException(nameof(tokens), index[i], $"Token ids must be in [0, {rows}).");
        }

        var output = BufferPool.Empty([.. tokens.shape, width]);
        using (PhaseClock.Measure(Phase.FusedOperators))
        {
            var from = TensorMemory.Floats(table);
            var to = TensorMemory.Floats(output);
            var bytes = width * sizeof(float);
            CpuTeam.For(count, 64, (first, number) =>
            {
                for (var i = first; i < first + number; i++)
                    Buffer.MemoryCopy(from + (index[i] * width), to + (i * width), bytes, bytes);
            });
        }

        if (AutogradNode.IsNeeded(table))
        {
            List<Tensor> saved = [AutogradNode.Save(ids)];
            AutogradNode.Record([table], output, saved, gradient => Backward(gradient, saved[0], table));
        }

        return output;
    }

    private static List<Tensor?> Backward(Tensor gradient, Tensor ids, Parameter table)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var (count, width) = (ids.numel(), table.shape[1]);
        var target = new GradientTarget([table]);
        var g = TensorMemory.Floats(gradient);
        var index = TensorMemory.Longs(ids);
        var to = target.Pointer;

        // Threads share columns, not tokens: two tokens may be the same row.
        CpuTeam.Run((int)((width + ColumnBlock - 1) / ColumnBlock), block =>
        {
            var first = block * (long)ColumnBlock;
            var columns = Math.Min(ColumnBlock, width - first);
            for (long i = 0; i < count; i++)
                CpuKernels.Instance.AddScaled(to + (index[i] * width) + first, g + (i * width) + first, 1, columns);
        });
        return [.. target.Results()];
    }
}
