using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>
/// What attention starts with on a CUDA device: one product [q | k | v] split into heads, queries and keys normalized
/// and turned, in one pass each way. Attention itself is LibTorch's.
/// </summary>
internal static class CudaQueryKey
{
    private const long LargestHead = 4096;
    private const int MostHeads = 65_535;

    /// <summary>Whether the kernels can take it: they know equally many heads of queries and of keys only.</summary>
    public static bool Fits(CudaKernels kernels, in AttentionInput input)
    {
        var (qkv, shape) = (input.Qkv, input.Shape);
        return kernels.Launcher.Holds(qkv) && qkv.dtype is ScalarType.Float32 or ScalarType.BFloat16
            && qkv.is_contiguous()
            && qkv.numel() > 0 && input.Rotary.Cosines.dtype == ScalarType.Float32 && shape.HeadSize % 2 == 0
            && shape.HeadSize <= LargestHead && shape.Heads <= MostHeads && shape.KeyValueHeads == shape.Heads
            && qkv.shape[2] == shape.ProjectedWidth;
    }

    /// <summary>
    /// Queries, keys and values, [B, H, T, d_h] in the dtype of the product; queries times their factor.
    /// </summary>
    public static (Tensor Query, Tensor Key, Tensor Value) Apply(CudaKernels kernels, in AttentionInput input)
    {
        var (qkv, normalization, rotary, start) = (input.Qkv, input.Normalization, input.Rotary, input.Start);
        var (heads, headSize, queryFactor) = (input.Shape.Heads, input.Shape.HeadSize, input.QueryFactor);
        Dispatch.Record(Operation.Attention, DispatchPath.Cuda);
        using var scope = NewDisposeScope();
        var isShared = normalization.Kind != QueryKeyNorm.Rms;
        Tensor? query = normalization.Query, key = normalization.Key;
        if (isShared && query is not null)
            query = key = (query * normalization.Factor).view(heads, headSize);
        List<Tensor> inputs = [qkv];
        if (query is not null)
            inputs.AddRange(isShared ? [query] : [query, key!]);
        var (cosines, sines) = (rotary.Cosines, rotary.Sines);
        var (q, k, v, ofQueries, ofKeys) = CudaOperators.QueryKeyForward(
            kernels, qkv, heads, normalization.Kind, query, key, cosines, sines, start, queryFactor,
            normalization.Epsilon);
        if (AutogradNode.IsNeeded([.. inputs]))
        {
            var saved = inputs.Append(ofQueries).Append(ofKeys).Select(AutogradNode.Save).ToList();
            AutogradNode.Record(inputs, [q, k, v], saved, gradients =>
            {
                var given = gradients.Select(gradient => Readable(gradient, q: saved[0], heads)).ToList();
                var (dqkv, gains) = CudaOperators.QueryKeyBackward(
                    kernels, given[0], given[1], given[2], saved[0], normalization.Kind, saved.Count > 3
                        ? saved[1]
                        : null,
                    saved.Count > 3 ? saved[^3] : null, cosines, sines, saved[^2], saved[^1], start, queryFactor);
                return gains is null
                    ? [dqkv]
                    : isShared
                    ? [dqkv, gains]
                    : [dqkv, gains.select(0, 0), gains.select(0, 1)];
            });
        }

        return (q.MoveToOuterDisposeScope(), k.MoveToOuterDisposeScope(), v.MoveToOuterDisposeScope());
    }

    /// <summary>A gradient as the kernel reads it, channels next to each other; zeros where there is none.</summary>
    private static Tensor Readable(Tensor? gradient, Tensor q, int heads)
    {
        if (gradient is null)
            return zeros([q.shape[0], heads, q.shape[1], q.shape[2] / 3 / heads], dtype: q.dtype, device: q.device);
        return gradient.stride(3) == 1 ? gradient : gradient.contiguous();
    }
}
