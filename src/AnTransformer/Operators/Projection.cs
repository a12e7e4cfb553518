using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>A bias-free linear map whose matrix is stored in master precision and used in the compute dtype.</summary>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates the map with a matrix of zeros.</summary>
    /// <param name="inputSize">Input width.</param>
    /// <param name="outputSize">Output width.</param>
    /// <param name="context">Dtypes and device.</param>
    public Projection(long inputSize, long outputSize, ModelContext context)
        : this(context.Parameter(outputSize, inputSize), context)
    {
    }

    /// <summary>Creates the map with a given matrix.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="context">Dtypes and device.</param>
    internal Projection(Parameter weight, ModelContext context)
        : base(nameof(Projection))
    {
        Context = context;
        Weight = weight;
        register_parameter("weight", Weight);
    }

    /// <summary>The matrix, [out, in]; rows are what one output unit multiplies its input with.</summary>
    public Parameter Weight { get; }

    internal ModelContext Context { get; }

    /// <summary>W x.</summary>
    /// <param name="input">Shape [..., in].</param>
    /// <returns>Shape [..., out] in the compute dtype.</returns>
    public override Tensor forward(Tensor input) => forward(input, factor: 1);

    /// <summary>factor · W x.</summary>
    /// <param name="input">Shape [..., in], or a function of a tensor.</param>
    /// <param name="factor">A constant such as ν_down (see <see cref="NormalizationFactors"/>).</param>
    /// <returns>Shape [..., out] in the compute dtype.</returns>
    public Tensor forward(LinearInput input, double factor = 1) => new LinearMap(input, [this], factor).Apply();

    /// <summary>The residual sum h + W x.</summary>
    /// <param name="stream">h, [..., out].</param>
    /// <param name="input">x, [..., in], or a function of a tensor.</param>
    /// <returns>Shape [..., out] in the stream's dtype.</returns>
    public Tensor AddTo(Tensor stream, LinearInput input) => new LinearMap(input, [this], Stream: stream).Apply();

    /// <summary>The residual update ν(α) ⊙ (h + α ⊙ (factor · W x − h)), α used as |α| (paper section 3).</summary>
    /// <param name="stream">h, [..., out].</param>
    /// <param name="input">x, [..., in], or a function of a tensor.</param>
    /// <param name="factor">A constant such as ν_down.</param>
    /// <param name="alpha">α, [out].</param>
    /// <param name="normalize">Whether ν(α) = 1/√(α² + (1−α)²) applies.</param>
    /// <returns>Shape [..., out] in the stream's dtype.</returns>
    public Tensor Interpolate(
        Tensor stream, LinearInput input, double factor, ReparameterizedScale alpha, bool normalize)
        => new LinearMap(input, [this], factor, Stream: stream, Interpolation: new Interpolation(alpha, normalize))
            .Apply();

    /// <summary>
    /// factor · W x by TorchSharp's operators. The factor multiplies the matrix, which takes out·in products rather
    /// than B·T·out, and is applied in master precision.
    /// </summary>
    internal Tensor Multiply(Tensor input, double factor)
    {
        using var scope = NewDisposeScope();
        Tensor weight = factor == 1 ? Weight : Weight * factor;
        return nn.functional.linear(Context.ToCompute(input), Context.ToCompute(weight)).MoveToOuterDisposeScope();
    }
}
