using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Causal attention from the projected queries, keys and values to the concatenated heads, in one operator: normalization, rotary
/// positions and the head layout happen head by head in memory that stays in the cache, where the head's products follow. Kept for
/// the backward pass: the input and one number per query.
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
    private readonly int _heads;

    private AttentionOperator(
        QueryKeyNormalization normalization, RotaryEmbedding rotary, double softmaxScale, int heads)
    {
        (_norm, _rotary, _softmaxScale, _heads) = (normalization.Kind, rotary, (float)softmaxScale, heads);
        (_queryScale, _keyScale) = (normalization.Query, normalization.Key);
        (_scaleFactor, _epsilon) = ((float)normalization.Factor, (float)normalization.Epsilon);
    }

    /// <summary>Whether the fused kernels can take it.</summary>
    public static bool Fits(Tensor qkv, QueryKeyNormalization normalization, RotaryEmbedding rotary, ModelContext context)
        => context is { MasterDtype: ScalarType.Float32, ComputeDtype: ScalarType.Float32 }
            && FusedKernels.FitCpu(qkv, normalization.Query, normalization.Key) && qkv.dim() == 3 && qkv.shape[1] <= rotary.Length;

    /// <summary>softmax(scale · q kᵀ, causal) v.</summary>
    /// <param name="qkv">Queries, keys and values of all heads, [B, T, 3d].</param>
    /// <param name="normalization">How queries and keys are normalized.</param>
    /// <param name="rotary">Positions, from 0.</param>
    /// <param name="softmaxScale">scale.</param>
    /// <param name="heads">H.</param>
    /// <returns>Shape [B, T, d].</returns>
    public static Tensor Apply(
        Tensor qkv, QueryKeyNormalization normalization, RotaryEmbedding rotary, double softmaxScale, int heads)
    {
        Dispatch.Record(Operation.Attention, DispatchPath.Fused);
        Dispatch.Record(Operation.AttentionHead, AttentionHead.Instance.Path);
        var attention = new AttentionOperator(normalization, rotary, softmaxScale, heads);
        var (batch, length, width) = (qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3);
        var output = BufferPool.Empty(batch, length, width);
        var logSumExp = BufferPool.Empty(batch, heads, length);
        attention.Forward(TensorMemory.Floats(qkv), TensorMemory.Floats(output), TensorMemory.Floats(logSumExp), (int)batch, (int)length, (int)width);
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

    private void Forward(float* qkv, float* output, float* logSumExp, int batch, int length, int width)
    {
        using var timer = PhaseClock.Measure(Phase.Attention);
        var dh = width / _heads;
        using var scales = new Scales(this, width);
        CpuTeam.Run(batch * _heads, task =>
        {
            var (sequence, head) = Math.DivRem(task, _heads);
            var size = (long)length * dh;
            using var scratch = BufferPool.Rent((2 * size) + AttentionHead.Instance.ForwardScratch(length, dh));
            var q = scratch.Pointer;
            var k = q + size;
            var input = qkv + (sequence * (long)length * 3 * width) + (head * (long)dh);
            Rotate(input, q, scales.Query(head, dh), width, length, dh, _softmaxScale);
            Rotate(input + width, k, scales.Key(head, dh), width, length, dh, 1);
            AttentionHead.Instance.Forward(
                q, k, input + (2 * width), 3L * width, output + (sequence * (long)length * width) + (head * (long)dh), width,
                logSumExp + ((long)task * length), length, dh, k + size);
        });
    }

    private void Rotate(float* x, float* y, float* scale, int width, int length, int dh, float factor)
        => CpuKernels.Instance.Rotate(x, 3L * width, _norm, scale, _rotary.CosPointer, _rotary.SinPointer, y, length, dh, factor, _epsilon);

    private List<Tensor?> Backward(Tensor gradient, Tensor qkv, Tensor logSumExp)
    {
        using var timer = PhaseClock.Measure(Phase.Attention);
        var (batch, length, width) = ((int)qkv.shape[0], (int)qkv.shape[1], (int)qkv.shape[2] / 3);
        var dh = width / _heads;
        var result = BufferPool.Empty(qkv.shape);
        using var scales = new Scales(this, width);
        using var sums = BufferPool.Rent(2L * batch * width);
        new Span<float>(sums.Pointer, 2 * batch * width).Clear();
        var g = TensorMemory.Floats(gradient);
        var x = TensorMemory.Floats(qkv);
        var lse = TensorMemory.Floats(logSumExp);
        var dx = TensorMemory.Floats(result);
        var partial = sums.Pointer;
        CpuTeam.Run(batch * _heads, task =>
        {
            var (sequence, head) = Math.DivRem(task, _heads);
            var offset = (sequence * (long)length * 3 * width) + (head * (long)dh);
            BackwardHead(
                g + (sequence * (long)length * width) + (head * (long)dh), x + offset, lse + ((long)task * length), dx + offset,
                scales.Query(head, dh), scales.Key(head, dh), partial + (2L * task * dh), length, width, dh);
        });
        List<Tensor?> results = [result];
        results.AddRange(ScaleGradients(sums.Pointer, batch, dh));
        return results;
    }

    private void BackwardHead(
        float* g, float* input, float* logSumExp, float* dInput, float* queryScale, float* keyScale, float* scaleSums, int length,
        int width, int dh)
    {
        var size = (long)length * dh;
        using var scratch = BufferPool.Rent((4 * size) + AttentionHead.Instance.BackwardScratch(length, dh));
        var q = scratch.Pointer;
        var k = q + size;
        var dq = k + size;
        var dk = dq + size;
        Rotate(input, q, queryScale, width, length, dh, _softmaxScale);
        Rotate(input + width, k, keyScale, width, length, dh, 1);
        AttentionHead.Instance.Backward(
            q, k, input + (2 * width), 3L * width, g, width, logSumExp, dq, dk, dInput + (2 * width), length, dh, dk + size);
        RotateBackward(dq, input, dInput, queryScale, scaleSums, width, length, dh, _softmaxScale);
        RotateBackward(dk, input + width, dInput + width, keyScale, scaleSums + dh, width, length, dh, 1);
    }

    private void RotateBackward(
        float* dy, float* x, float* dx, float* scale, float* scaleSums, int width, int length, int dh, float factor)
        => CpuKernels.Instance.RotateBackward(
            dy, x, 3L * width, _norm, scale, _rotary.CosPointer, _rotary.SinPointer, dx, 3L * width, scaleSums, length, dh, factor, _epsilon);

    /// <summary>Adds up the heads' gradients of gains ([dh], shared by heads) or scales ([H, dh], shared by queries and keys).</summary>
    private IEnumerable<Tensor?> ScaleGradients(float* sums, int batch, int dh)
    {
        if (_queryScale is null || _keyScale is null)
            return [];
        var perHead = _queryScale.numel() > dh;
        var query = new GradientTarget([_queryScale]);
        var key = ReferenceEquals(_keyScale, _queryScale) ? query : new GradientTarget([_keyScale]);
        for (var task = 0; task < batch * _heads; task++)
        {
            var offset = perHead ? task % _heads * (long)dh : 0;
            CpuKernels.Instance.AddScaled(query.Pointer + offset, sums + (2L * task * dh), _scaleFactor, dh);
            CpuKernels.Instance.AddScaled(key.Pointer + offset, sums + (((2L * task) + 1) * dh), _scaleFactor, dh);
        }

        return query == key ? query.Results() : [.. query.Results(), .. key.Results()];
    }

    /// <summary>The values of gains or scales, their stored parameters times their factor.</summary>
    private sealed class Scales : IDisposable
    {
        private readonly float* _memory;
        private readonly long _queryStride;
        private readonly long _keyOffset;

        public Scales(AttentionOperator attention, int width)
        {
            if (attention._queryScale is null || attention._keyScale is null)
                return;
            _memory = BufferPool.Rent(2L * width).Pointer;
            _keyOffset = width;
            _queryStride = attention._queryScale.numel() == width ? 1 : 0;
            Fill(attention._queryScale, attention._scaleFactor, _memory);
            Fill(attention._keyScale, attention._scaleFactor, _memory + width);
        }

        public float* Query(int head, int dh) => _memory == null ? null : _memory + (_queryStride * head * dh);

        public float* Key(int head, int dh) => _memory == null ? null : _memory + _keyOffset + (_queryStride * head * dh);

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
