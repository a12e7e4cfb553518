using AnTransformer.Normalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Layers;

/// <summary>A bias-free linear map whose matrix is stored in master precision and used in the compute dtype.</summary>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    /// <summary>Creates the map with a matrix of zeros.</summary>
    /// <param name="inputSize">Input width.</param>
    /// <param name="outputSize">Output width.</param>
    /// <param name="context">Dtypes and device.</param>
    public Projection(long inputSize, long outputSize, ModelContext context)
        : base(nameof(Projection))
    {
        Context = context;
        Weight = context.Parameter(outputSize, inputSize);
        register_parameter("weight", Weight);
    }

    /// <summary>The matrix, [out, in]; rows are what one output unit multiplies its input with.</summary>
    public Parameter Weight { get; }

    private ModelContext Context { get; }

    /// <summary>W x.</summary>
    /// <param name="input">Shape [..., in].</param>
    /// <returns>Shape [..., out] in the compute dtype.</returns>
    public override Tensor forward(Tensor input) => forward(input, factor: 1);

    /// <summary>
    /// factor · W x. The factor multiplies the matrix, which takes out·in products rather than B·T·out, and is applied in master
    /// precision.
    /// </summary>
    /// <param name="input">Shape [..., in].</param>
    /// <param name="factor">A constant such as ν_qkv (see <see cref="NormalizationFactors"/>).</param>
    /// <returns>Shape [..., out] in the compute dtype.</returns>
    public Tensor forward(Tensor input, double factor)
    {
        using var scope = NewDisposeScope();
        Tensor weight = factor == 1 ? Weight : Weight * factor;
        return nn.functional.linear(Context.ToCompute(input), Context.ToCompute(weight)).MoveToOuterDisposeScope();
    }
}
