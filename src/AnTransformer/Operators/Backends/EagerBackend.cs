using AnTransformer.Kernels;
using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Backends;

/// <summary>
/// LibTorch's operators: any device, dtype and layout. The others fall back to these, and tests hold them against
/// these.
/// </summary>
internal class EagerBackend : OperatorBackend
{
    /// <inheritdoc/>
    public override Tensor Embedding(Tensor tokens, Parameter table)
    {
        Dispatch.Record(Operation.Embedding, DispatchPath.Eager);
        return table.index_select(0, tokens.flatten()).view([.. tokens.shape, table.shape[1]]);
    }

    /// <inheritdoc/>
    public override Tensor Linear(in LinearMap map)
    {
        Dispatch.Record(Operation.Linear, DispatchPath.Eager);
        using var scope = NewDisposeScope();
        var (x, factor) = (map.Input.Eager(), map.Factor);
        var outputs = map.Parts.Select(part => part.Multiply(x, factor)).ToList();
        var y = outputs.Count == 1 ? outputs[0] : cat(outputs, -1);
        if (map.Scales is not null)
            y = y * map.Scales.Eager();
        if (map.Stream is null)
            return y.MoveToOuterDisposeScope();
        if (map.Interpolation is null)
            return (map.Stream + y).MoveToOuterDisposeScope();
        var (keep, share) = map.Interpolation.Eager();
        return (map.Stream * keep).addcmul(share, y, 1).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Attention(in AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = Heads(input);
        return SoftmaxAttention.Apply(q, k, v, input.Shape).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override (Tensor Query, Tensor Key, Tensor Value) Heads(in AttentionInput input)
    {
        Dispatch.Record(Operation.Attention, DispatchPath.Eager);
        using var scope = NewDisposeScope();
        var (shape, context) = (input.Shape, input.Context);
        var parts = input.Qkv.split([shape.QueryWidth, shape.KeyValueWidth, shape.KeyValueWidth], -1);
        var q = Normalize(SplitHeads(parts[0], shape.HeadSize), input, input.Normalization.Query);
        var k = Normalize(SplitHeads(parts[1], shape.HeadSize), input, input.Normalization.Key);
        if (input.QueryFactor != 1)
            q = q * input.QueryFactor;
        return (context.ToCompute(q).MoveToOuterDisposeScope(), context.ToCompute(k).MoveToOuterDisposeScope(),
            context.ToCompute(SplitHeads(parts[2], shape.HeadSize)).MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public override Tensor SphereUpdate(Tensor h, Tensor x, ReparameterizedScale alpha)
    {
        Dispatch.Record(Operation.SphereUpdate, DispatchPath.Eager);
        using var scope = NewDisposeScope();
        return Norms.L2(h + (alpha.Value().abs() * (Norms.L2(x) - h))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor NormalizedSum(Tensor h, Tensor x, RmsNorm norm)
    {
        using var scope = NewDisposeScope();
        return (h + (Norms.Rms(x, norm.Epsilon) * norm.Weight)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Squash(DynamicSquash squash, Tensor input)
    {
        using var scope = NewDisposeScope();
        var z = input * squash.Alpha.Value();
        var squashed = squash.Function == Squashing.Tanh ? z.tanh() : (z + squash.Shift!).erf();
        return ((squashed * squash.Weight) + squash.Bias).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Loss(in HeadLoss loss)
    {
        Dispatch.Record(Operation.Loss, DispatchPath.Eager);
        return nn.functional.cross_entropy(loss.Logits().flatten(0, 1), loss.Targets.flatten());
    }

    /// <inheritdoc/>
    public override Tensor TokenLosses(in HeadLoss loss)
    {
        Dispatch.Record(Operation.TokenLosses, DispatchPath.Eager);
        return nn.functional.cross_entropy(
            loss.Logits().flatten(0, 1), loss.Targets.flatten(), reduction: nn.Reduction.None)
            .view(loss.Targets.shape);
    }

    private static Tensor Normalize(Tensor x, in AttentionInput input, Parameter? scale)
    {
        var (normalization, shape) = (input.Normalization, input.Shape);
        if (normalization.Kind == QueryKeyNorm.Rms)
            return input.Rotary.Rotate(Norms.Rms(x, normalization.Epsilon) * scale!, input.Start);
        var rotated = input.Rotary.Rotate(x, input.Start);
        if (normalization.Kind == QueryKeyNorm.L2)
            rotated = Norms.L2(rotated);
        if (scale is null)
            return rotated;
        var scales = (scale * normalization.Factor).view(shape.KeyValueHeads, 1, -1);
        return rotated.shape[1] == shape.KeyValueHeads
            ? rotated * scales
            : rotated * scales.repeat_interleave(shape.GroupSize, 0);
    }

    /// <summary>[B, T, n·d_h] as [B, n, T, d_h].</summary>
    private static Tensor SplitHeads(Tensor x, long headSize)
        => x.view(x.shape[0], x.shape[1], -1, headSize).transpose(1, 2);
}
