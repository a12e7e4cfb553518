using AnTransformer.Configuration;

namespace AnTransformer.Kernels.Cpu;

/// <summary>Attention of a head by products of 64 queries with all keys they see.</summary>
internal sealed unsafe class BlasAttentionHead : AttentionHead
{
    // Large enough for an efficient product, small enough to skip most of what the causal mask hides.
    private const int QueryBlock = 64;

    public override DispatchPath Path => DispatchPath.Blas;

    public override long ForwardScratch(int length, AttentionShape shape) => (long)QueryBlock * length;

    public override long BackwardScratch(int length, AttentionShape shape)
        => (2L * QueryBlock * length) + ((long)length * shape.HeadSize);

    public override void Forward(
        float* q, float* k, float* v, long vStride, float* y, long yStride, float* logSumExp, int length,
        AttentionShape shape, float* scratch)
    {
        var (headSize, causal, window) = (shape.HeadSize, shape.Causal, shape.Span);
        for (var first = 0; first < length; first += QueryBlock)
        {
            var queries = Math.Min(QueryBlock, length - first);
            var seen = Math.Max(0, first + 1 - window);      // by any of these queries, the first key
            var keys = (causal ? first + queries : length) - seen;
            var key = k + (seen * (long)headSize);
            var value = v + (seen * vStride);
            Multiply(false, true, queries, keys, headSize, 1, q + (first * (long)headSize), headSize, key,
                headSize, 0, scratch, keys);
            CpuKernels.Instance.CausalSoftmax(scratch, keys, logSumExp + first, queries, keys,
                causal ? first - seen : keys, window);
            Multiply(false, false, queries, headSize, keys, 1, scratch, keys, value, vStride, 0,
                y + (first * yStride), yStride);
        }
    }

    public override void Backward(
        float* q, float* k, float* v, long vStride, float* dy, long dyStride, float* logSumExp, float* dq, float* dk,
        float* dv, bool add, int length, AttentionShape shape, float* scratch)
    {
        var (headSize, causal, window) = (shape.HeadSize, shape.Causal, shape.Span);
        var dScores = scratch + ((long)QueryBlock * length);
        var values = dScores + ((long)QueryBlock * length);     // dv as [T, dh], since products add to it
        if (!add)
            new Span<float>(dk, length * headSize).Clear();
        new Span<float>(values, length * headSize).Clear();
        for (var first = 0; first < length; first += QueryBlock)
        {
            var queries = Math.Min(QueryBlock, length - first);
            var seen = Math.Max(0, first + 1 - window);
            var keys = (causal ? first + queries : length) - seen;
            var (offset, start) = (seen * (long)headSize, causal ? first - seen : keys);
            var query = q + (first * (long)headSize);
            var g = dy + (first * dyStride);
            Multiply(false, true, queries, keys, headSize, 1, query, headSize, k + offset, headSize, 0, scratch,
                keys);
            Multiply(false, true, queries, keys, headSize, 1, g, dyStride, v + (seen * vStride), vStride, 0,
                dScores, keys);
            CpuKernels.Instance.CausalSoftmaxBackward(scratch, dScores, keys, logSumExp + first, queries, keys,
                start, window);
            Multiply(true, false, keys, headSize, queries, 1, scratch, keys, g, dyStride, 1, values + offset,
                headSize);
            Multiply(false, false, queries, headSize, keys, 1, dScores, keys, k + offset, headSize, 0,
                dq + (first * (long)headSize), headSize);
            Multiply(true, false, keys, headSize, queries, 1, dScores, keys, query, headSize, 1, dk + offset,
                headSize);
        }

        for (var row = 0; row < length; row++)
            CopyRow(values + (row * (long)headSize), dv + (row * vStride), headSize, add);
    }

    private static void Multiply(
        bool transposeA, bool transposeB, long m, long n, long k, float alpha, float* a, long lda, float* b, long ldb,
        float beta, float* c, long ldc)
    {
        Dispatch.Record(Operation.MatrixProduct, DispatchPath.Blas);
        Gemm.MultiplyByBlas(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }
}
