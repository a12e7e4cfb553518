namespace AnTransformer.Kernels.Cpu;

/// <summary>Attention of a head by products of 64 queries with all keys they see.</summary>
internal sealed unsafe class BlasAttentionHead : AttentionHead
{
    // Large enough for an efficient product, small enough to skip most of what the causal mask hides.
    private const int QueryBlock = 64;

    public override DispatchPath Path => DispatchPath.Blas;

    public override long ForwardScratch(int length, int headSize) => (long)QueryBlock * length;

    public override long BackwardScratch(int length, int headSize) => (2L * QueryBlock * length) + ((long)length * headSize);

    public override void Forward(
        float* q, float* k, float* v, long vStride, float* y, long yStride, float* logSumExp, int length, int headSize, float* scratch)
    {
        for (var first = 0; first < length; first += QueryBlock)
        {
            var queries = Math.Min(QueryBlock, length - first);
            var keys = first + queries;
            Gemm.MultiplyTransposed(queries, keys, headSize, 1, q + (first * (long)headSize), headSize, k, headSize, 0, scratch, keys);
            CpuKernels.Instance.CausalSoftmax(scratch, keys, logSumExp + first, queries, keys, first);
            Gemm.Multiply(queries, headSize, keys, 1, scratch, keys, v, vStride, 0, y + (first * yStride), yStride);
        }
    }

    public override void Backward(
        float* q, float* k, float* v, long vStride, float* dy, long dyStride, float* logSumExp, float* dq, float* dk, float* dv, int length,
        int headSize, float* scratch)
    {
        var dScores = scratch + ((long)QueryBlock * length);
        var values = dScores + ((long)QueryBlock * length);     // dv as [T, dh], since products add to it
        new Span<float>(dk, length * headSize).Clear();
        new Span<float>(values, length * headSize).Clear();
        for (var first = 0; first < length; first += QueryBlock)
        {
            var queries = Math.Min(QueryBlock, length - first);
            var keys = first + queries;
            var query = q + (first * (long)headSize);
            var g = dy + (first * dyStride);
            Gemm.MultiplyTransposed(queries, keys, headSize, 1, query, headSize, k, headSize, 0, scratch, keys);
            Gemm.MultiplyTransposed(queries, keys, headSize, 1, g, dyStride, v, vStride, 0, dScores, keys);
            CpuKernels.Instance.CausalSoftmaxBackward(scratch, dScores, keys, logSumExp + first, queries, keys, first);
            Gemm.TransposedMultiply(keys, headSize, queries, 1, scratch, keys, g, dyStride, 1, values, headSize);
            Gemm.Multiply(queries, headSize, keys, 1, dScores, keys, k, headSize, 0, dq + (first * (long)headSize), headSize);
            Gemm.TransposedMultiply(keys, headSize, queries, 1, dScores, keys, query, headSize, 1, dk, headSize);
        }

        for (var row = 0; row < length; row++)
            Buffer.MemoryCopy(values + (row * (long)headSize), dv + (row * vStride), headSize * sizeof(float), headSize * sizeof(float));
    }
}
