using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Attention from the projected queries, keys and values to the concatenated heads, in one operator: normalization,
/// rotary positions and the head layout happen head by head in memory that stays in the cache, where the head's
/// products follow. Kept for the backward pass: the input and one number per query.
/// </summary>
internal sealed unsafe class AttentionOperator
{
    private readonly QueryKeyNorm _norm;
    private readonly Parameter? _queryScale;
    private readonly Parameter? _keyScale;
    private readonly float _scaleFactor;
    private readonly RotaryEmbedding _rotary;
    private readonly float _softmaxScale;
    private readonly float _epsilon;
    private readonly AttentionShape _shape;

    private AttentionOperator(
        QueryKeyNormalization normalization, RotaryEmbedding rotary, double softmaxScale, AttentionShape shape)
    {
        (_norm, _rotary, _softmaxScale, _shape) = (normalization.Kind, rotary, (float)softmaxScale, shape);
        (_queryScale, _keyScale) = (normalization.Query, normalization.Key);
        (_scaleFactor, _epsilon) = ((float)normalization.Factor, (float)normalization.Epsilon);
    }

    /// <summary>Whether the fused kernels can take it.</summary>
    public static bool Fits(in AttentionInput input)
        => FusedKernels.ArePlain(input.Qkv, input.Normalization.Query, input.Normalization.Key) && input.Qkv.dim() == 3
            && input.Start == 0 && input.Qkv.shape[1] <= input.Rotary.Length;

    /// <summary>softmax(scale · q kᵀ, mask) v.</summary>
    /// <param name="qkv">Queries, keys and values of all heads, [B, T, (H + 2K)·d_h].</param>
    /// <param name="normalization">How queries and keys are normalized.</param>
    /// <param name="rotary">Positions, from 0.</param>
    /// <param name="softmaxScale">scale.</param>
    /// <param name="shape">H, K, d_h and the mask.</param>
    /// <returns>Shape [B, T, H·d_h].</returns>
    public static Tensor Apply(
        Tensor qkv, QueryKeyNormalization normalization, RotaryEmbedding rotary, double softmaxScale,
        AttentionShape shape)
    {
        Dispatch.Record(Operation.Attention, DispatchPath.Fused);
        Dispatch.Record(Operation.AttentionHead, AttentionHead.Instance.Path);
        var attention = new AttentionOperator(normalization, rotary, softmaxScale, shape);
        var (batch, length) = (qkv.shape[0], qkv.shape[1]);
        var output = BufferPool.Empty(batch, length, shape.QueryWidth);
        var logSumExp = BufferPool.Empty(batch, shape.Heads, length);
        attention.Forward(TensorMemory.Floats(qkv), TensorMemory.Floats(output), TensorMemory.Floats(logSumExp),
            (int)batch, (int)length);
        List<Tensor> inputs = [qkv];
        if (attention._queryScale is { } queryScale)
            inputs.Add(queryScale);
        if (attention._keyScale is { } keyScale && !ReferenceEquals(keyScale, attention._queryScale))
            inputs.Add(keyScale);
        if (AutogradNode.IsNeeded([.. inputs]))
        {
            List<Tensor> saved = [AutogradNode.Save(qkv), AutogradNode.Save(logSumExp)];
            AutogradNode.Record(inputs, output, saved, gradient => attention.Backward(gradient, saved[0], saved[1]));
        }

        logSumExp.Dispose();
        return output;
    }

    private void Forward(float* qkv, float* output, float* logSumExp, int batch, int length)
    {
        using var timer = PhaseClock.Measure(Phase.Attention);
        var (shape, dh) = (_shape, _shape.HeadSize);
        using var scales = new Scales(this);
        CpuTeam.Run(batch * shape.Heads, task =>
        {
            var (sequence, head) = Math.DivRem(task, shape.Heads);
            var shared = head / shape.GroupSize;
            var size = (long)length * dh;
            using var scratch = BufferPool.Rent((2 * size) + AttentionHead.Instance.ForwardScratch(length, shape));
            var q = scratch.Pointer;
            var k = q + size;
            var input = qkv + (sequence * (long)length * shape.ProjectedWidth);
            var key = input + shape.QueryWidth + (shared * (long)dh);
            Rotate(input + (head * (long)dh), q, scales.Query(shared), length, _softmaxScale);
            Rotate(key, k, scales.Key(shared), length, 1);
            AttentionHead.Instance.Forward(
                q, k, key + shape.KeyValueWidth, shape.ProjectedWidth,
                output + (sequence * (long)length * shape.QueryWidth) + (head * (long)dh), shape.QueryWidth,
                logSumExp + ((long)task * length), length, shape, k + size);
        });
    }

    private void Rotate(float* x, float* y, float* scale, int length, float factor)
        => CpuKernels.Instance.Rotate(
            x, _shape.ProjectedWidth, _norm, scale, _rotary.CosPointer, _rotary.SinPointer, y, length,
            _shape.HeadSize, factor, _epsilon);

    private List<Tensor?> Backward(Tensor gradient, Tensor qkv, Tensor logSumExp)
    {
        using var timer = PhaseClock.Measure(Phase.Attention);
        var (batch, length) = ((int)qkv.shape[0], (int)qkv.shape[1]);
        var (shape, dh) = (_shape, _shape.HeadSize);
        var result = BufferPool.Empty(qkv.shape);
        using var scales = new Scales(this);
        using var sums = BufferPool.Rent(2L * batch * shape.KeyValueWidth);
        new Span<float>(sums.Pointer, 2 * batch * shape.KeyValueWidth).Clear();
        var g = TensorMemory.Floats(gradient);
        var x = TensorMemory.Floats(qkv);
        var lse = TensorMemory.Floats(logSumExp);
        var dx = TensorMemory.Floats(result);
        var partial = sums.Pointer;
        // Heads that share keys and values are one task, so that these gradients are summed in one order and by one
        // thread.
        CpuTeam.Run(batch * shape.KeyValueHeads, task =>
        {
            var (sequence, shared) = Math.DivRem(task, shape.KeyValueHeads);
            var first = shared * shape.GroupSize;
            var offset = sequence * (long)length * shape.ProjectedWidth;
            BackwardGroup(
                g + (sequence * (long)length * shape.QueryWidth) + (first * (long)dh), x + offset,
                lse + (((sequence * (long)shape.Heads) + first) * length), dx + offset, scales,
                partial + (2L * task * dh), shared, length);
        });
        List<Tensor?> results = [result];
        results.AddRange(ScaleGradients(sums.Pointer, batch));
        return results;
    }

    /// <summary>
    /// Gradients of one head of keys and values and of the queries that attend to it, of one sequence.
    /// </summary>
    private void BackwardGroup(
        float* g, float* input, float* logSumExp, float* dInput, Scales scales, float* scaleSums, int shared,
        int length)
    {
        var (shape, dh) = (_shape, _shape.HeadSize);
        var size = (long)length * dh;
        using var scratch = BufferPool.Rent((4 * size) + AttentionHead.Instance.BackwardScratch(length, shape));
        var q = scratch.Pointer;
        var k = q + size;
        var dq = k + size;
        var dk = dq + size;
        var key = shape.QueryWidth + (shared * (long)dh);
        var value = key + shape.KeyValueWidth;
        Rotate(input + key, k, scales.Key(shared), length, 1);
        for (var member = 0; member < shape.GroupSize; member++)
        {
            var query = ((shared * shape.GroupSize) + member) * (long)dh;
            Rotate(input + query, q, scales.Query(shared), length, _softmaxScale);
            AttentionHead.Instance.Backward(
                q, k, input + value, shape.ProjectedWidth, g + (member * (long)dh), shape.QueryWidth,
                logSumExp + (member * (long)length),
                dq, dk, dInput + value, add: member > 0, length, shape, dk + size);
            RotateBackward(dq, input + query, dInput + query, scales.Query(shared), scaleSums, length, _softmaxScale);
        }

        RotateBackward(dk, input + key, dInput + key, scales.Key(shared), scaleSums + dh, length, 1);
    }

    private void RotateBackward(float* dy, float* x, float* dx, float* scale, float* scaleSums, int length,
        float factor)
        => CpuKernels.Instance.RotateBackward(
            dy, x, _shape.ProjectedWidth, _norm, scale, _rotary.CosPointer, _rotary.SinPointer, dx,
            _shape.ProjectedWidth, scaleSums, length,
            _shape.HeadSize, factor, _epsilon);

    /// <summary>
    /// Adds up the gradients of gains ([dh], shared by heads) or scales ([K, dh], shared by queries and keys).
    /// </summary>
    private IEnumerable<Tensor?> ScaleGradients(float* sums, int batch)
    {
        if (_queryScale is null || _keyScale is null)
            return [];
        var dh = _shape.HeadSize;
        var perHead = _queryScale.numel() > dh;
        var query = new GradientTarget([_queryScale]);
        var key = ReferenceEquals(_keyScale, _queryScale) ? query : new GradientTarget([_keyScale]);
        for (var task = 0; task < batch * _shape.KeyValueHeads; task++)
        {
            var offset = perHead ? task % _shape.KeyValueHeads * (long)dh : 0;
            CpuKernels.Instance.AddScaled(query.Pointer + offset, sums + (2L * task * dh), _scaleFactor, dh);
            CpuKernels.Instance.AddScaled(key.Pointer + offset, sums + (((2L * task) + 1) * dh), _scaleFactor, dh);
        }

        return query == key ? query.Results() : [.. query.Results(), .. key.Results()];
    }

    /// <summary>
    /// The values of gains or scales, their stored parameters times their factor, by head of keys and values.
    /// </summary>
    private sealed class Scales : IDisposable
    {
        private readonly float* _memory;
        private readonly long _stride;
        private readonly long _keyOffset;

        public Scales(AttentionOperator attention)
        {
            if (attention._queryScale is null || attention._keyScale is null)
                return;
            var shape = attention._shape;
            _keyOffset = shape.KeyValueWidth;
            _memory = BufferPool.Rent(2 * _keyOffset).Pointer;
            _stride = attention._queryScale.numel() == _keyOffset ? shape.HeadSize : 0;
            Fill(attention._queryScale, attention._scaleFactor, _memory);
            Fill(attention._keyScale, attention._scaleFactor, _memory + _keyOffset);
        }

        public float* Query(int shared) => _memory == null ? null : _memory + (_stride * shared);

        public float* Key(int shared) => _memory == null ? null : _memory + _keyOffset + (_stride * shared);

        public void Dispose()
        {
            if (_memory != null)
                BufferPool.Return(_memory);
        }

        private static void Fill(Parameter stored, float factor, float* values)
        {
            var source = TensorMemory.Floats(stored);
            for (long i = 0, size = stored.numel(); i < size; i++)
                values[i] = source[i] * factor;
        }
    }
}
