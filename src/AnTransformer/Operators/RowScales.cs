using AnTransformer.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A factor per output of a linear map, s ⊙ (W x). It is multiplied onto the matrix's rows instead, out·in products
/// rather than B·T·out, and its gradient is a sum over a row of the matrix's gradient.
/// </summary>
internal abstract unsafe class RowScales
{
    /// <summary>The parameters behind the factors.</summary>
    public abstract IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The factors, written to [out].</summary>
    public abstract void Values(float* s);

    /// <summary>Adds the parameters' gradients, given those of the factors.</summary>
    public abstract void Backward(float* ds, float* gradient);

    /// <summary>The factors as a tensor in the graph, [out].</summary>
    public abstract Tensor Eager();
}

/// <summary>
/// Reparameterized scales, one after the other, each with a constant: nGPT's s_u and √d·s_g, the logit scale s_z.
/// </summary>
/// <param name="scales">Scales and constants, in the order of the outputs.</param>
internal sealed unsafe class ReparameterizedRows(
    IReadOnlyList<(ReparameterizedScale Scale, double Factor)> scales) : RowScales
{
    public override IReadOnlyList<Parameter> Parameters => scales.Select(item => item.Scale.Stored).ToList();

    public override void Values(float* s)
    {
        foreach (var (scale, factor) in scales)
        {
            var stored = TensorMemory.Floats(scale.Stored);
            var toValue = (float)(scale.ToValue * factor);
            for (long i = 0, size = scale.Stored.numel(); i < size; i++)
                *s++ = stored[i] * toValue;
        }
    }

    public override void Backward(float* ds, float* gradient)
    {
        foreach (var (scale, factor) in scales)
        {
            var toValue = (float)(scale.ToValue * factor);
            for (long i = 0, size = scale.Stored.numel(); i < size; i++)
                *gradient++ += *ds++ * toValue;
        }
    }

    public override Tensor Eager() => cat(scales.Select(item => item.Scale.Value() * item.Factor).ToList(), 0);
}

/// <summary>
/// The two factors of a residual update ν(α) ⊙ ((1−α) ⊙ h + α ⊙ x), α = |α̂ · α_init/α_scale|: that of the stream,
/// <c>keep = ν(1−α)</c>, and that of the update, <c>share = να</c>, with ν = 1/√(α² + (1−α)²) or 1.
/// </summary>
/// <param name="alpha">α̂, [d].</param>
/// <param name="normalize">Whether ν(α) applies.</param>
internal sealed unsafe class Interpolation(ReparameterizedScale alpha, bool normalize)
{
    public Parameter Parameter => alpha.Stored;

    /// <summary>Both factors, written to [d] each.</summary>
    public void Values(float* keep, float* share)
    {
        var stored = TensorMemory.Floats(alpha.Stored);
        for (long i = 0, size = alpha.Stored.numel(); i < size; i++)
        {
            var a = Math.Abs(stored[i] * alpha.ToValue);
            var nu = Nu(a);
            (keep[i], share[i]) = ((float)(nu * (1 - a)), (float)(nu * a));
        }
    }

    /// <summary>
    /// Adds α̂'s gradient. With dν/dα = −ν³(2α − 1): dkeep/dα = −ν + (1−α) dν/dα, dshare/dα = ν + α dν/dα.
    /// </summary>
    public void Backward(float* dkeep, float* dshare, float* gradient)
    {
        var stored = TensorMemory.Floats(alpha.Stored);
        for (long i = 0, size = alpha.Stored.numel(); i < size; i++)
        {
            var signed = stored[i] * alpha.ToValue;
            var a = Math.Abs(signed);
            var nu = Nu(a);
            var dnu = normalize ? -nu * nu * nu * ((2 * a) - 1) : 0;
            var da = (dkeep[i] * (((1 - a) * dnu) - nu)) + (dshare[i] * ((a * dnu) + nu));
            gradient[i] += (float)(da * SignOf(signed) * alpha.ToValue);
        }
    }

    /// <summary>keep and share as tensors in the graph, [d].</summary>
    public (Tensor Keep, Tensor Share) Eager()
    {
        var a = alpha.Value().abs();
        var keep = 1 - a;
        if (!normalize)
            return (keep, a);
        var nu = (a.square() + keep.square()).rsqrt();
        return (keep * nu, a * nu);
    }

    /// <summary>The derivative of |x|: −1, 0 or 1, and not a number where x is not.</summary>
    internal static double SignOf(double x) => x > 0 ? 1 : x < 0 ? -1 : x;

    private double Nu(double a) => normalize ? 1 / Math.Sqrt((a * a) + ((1 - a) * (1 - a))) : 1;
}
