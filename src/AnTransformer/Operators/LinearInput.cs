using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// What a linear map is applied to: a tensor, or a cheap row-wise function of one (<see cref="NormalizedInput"/>,
/// <see cref="GatedInput"/>). The function is computed a few thousand rows at a time just before the matrix product and
/// again in the backward pass, so that its result is never in memory as a whole.
/// </summary>
public abstract unsafe class LinearInput
{
    // Widths are kept, since the source may be disposed when the backward pass runs on its saved alias.
    private protected LinearInput(Tensor source, long width)
    {
        Source = source;
        SourceWidth = source.shape[^1];
        Width = width;
    }

    /// <summary>The tensor that is kept for the backward pass.</summary>
    internal Tensor Source { get; }

    /// <summary>Width of a row of the source.</summary>
    internal long SourceWidth { get; }

    /// <summary>Width of a row of the result.</summary>
    internal long Width { get; }

    /// <summary>Whether source and parameters belong together.</summary>
    internal virtual bool IsValid => true;

    /// <summary>Parameters of the function.</summary>
    internal virtual Parameter? Gain => null;

    /// <summary>Whether the result is the source itself.</summary>
    internal virtual bool IsIdentity => false;

    /// <summary>
    /// Whether the source's gradient is written over the source, which nothing reads after its backward pass.
    /// </summary>
    internal virtual bool OverwritesSource => false;

    /// <summary>A tensor as it is.</summary>
    /// <param name="tensor">Shape [..., n].</param>
    public static implicit operator LinearInput(Tensor tensor) => FromTensor(tensor);

    /// <summary>A tensor as it is.</summary>
    /// <param name="tensor">Shape [..., n].</param>
    public static LinearInput FromTensor(Tensor tensor) => new PlainInput(tensor);

    /// <summary>The function by TorchSharp's operators.</summary>
    internal abstract Tensor Eager();

    /// <summary>The function of some rows.</summary>
    internal abstract void Forward(float* source, float* result, long rows);

    /// <summary>
    /// From the gradient of some rows of the result that of the source and, added, that of the gain. The gradient's
    /// memory receives the result itself, which the matrix's gradient needs.
    /// </summary>
    internal abstract void Backward(
        float* gradient, float* source, float* sourceGradient, float* gainGradient, long rows);

    private sealed class PlainInput(Tensor tensor) : LinearInput(tensor, tensor.shape[^1])
    {
        internal override bool IsIdentity => true;

        internal override Tensor Eager() => Source;

        internal override void Forward(float* source, float* result, long rows)
            => throw new InvalidOperationException();

        internal override void Backward(
            float* gradient, float* source, float* sourceGradient, float* gainGradient, long rows)
            => throw new InvalidOperationException();
    }
}

/// <summary>gain ⊙ x / √(mean(x²) + ε).</summary>
/// <param name="x">Shape [..., n].</param>
/// <param name="gain">[n].</param>
/// <param name="epsilon">ε.</param>
public sealed unsafe class NormalizedInput(Tensor x, Parameter gain, double epsilon) : LinearInput(x, x.shape[^1])
{
    internal override Parameter Gain => gain;

    internal override bool IsValid => gain.numel() == Width;

    internal double Epsilon => epsilon;

    internal override Tensor Eager() => Norms.Rms(Source, epsilon) * gain;

    internal override void Forward(float* source, float* result, long rows)
        => CpuKernels.Instance.RmsNorm(source, TensorMemory.Floats(gain), result, rows, (int)Width, (float)epsilon);

    internal override void Backward(
        float* gradient, float* source, float* sourceGradient, float* gainGradient, long rows)
        => CpuKernels.Instance.RmsNormBackward(
            gradient, source, TensorMemory.Floats(gain), sourceGradient, gainGradient, rows, (int)Width,
            (float)epsilon);
}

/// <summary>
/// The gated product u ⊙ SiLU(k·g) of the two halves of a tensor, the gate first. In a backward pass the tensor's
/// memory receives its gradient.
/// </summary>
/// <param name="gateUp">g and u, [..., 2f].</param>
/// <param name="gateFactor">k.</param>
public sealed unsafe class GatedInput(Tensor gateUp, double gateFactor = 1) : LinearInput(gateUp, gateUp.shape[^1] / 2)
{
    internal override bool OverwritesSource => true;

    internal override bool IsValid => SourceWidth % 2 == 0;

    internal double GateFactor => gateFactor;

    internal override Tensor Eager()
    {
        var halves = Source.chunk(2, -1);
        return halves[1] * nn.functional.silu(gateFactor == 1 ? halves[0] : halves[0] * gateFactor);
    }

    internal override void Forward(float* source, float* result, long rows)
        => CpuKernels.Instance.SwiGlu(source, result, rows, (int)Width, (float)gateFactor);

    internal override void Backward(
        float* gradient, float* source, float* sourceGradient, float* gainGradient, long rows)
        => CpuKernels.Instance.SwiGluBackward(gradient, sourceGradient, rows, (int)Width, (float)gateFactor);
}
