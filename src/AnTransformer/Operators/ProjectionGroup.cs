using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// Bias-free linear maps of the same input whose matrices lie next to each other, so that one matrix product computes
/// all: query, key and value; gate and up. The parts are modules of their own, under the names checkpoints give them.
/// </summary>
public sealed class ProjectionGroup
{
    /// <summary>Creates the maps with matrices of zeros.</summary>
    /// <param name="inputSize">Input width.</param>
    /// <param name="outputSizes">Output widths.</param>
    /// <param name="context">Dtypes and device.</param>
    public ProjectionGroup(long inputSize, IReadOnlyList<long> outputSizes, ModelContext context)
    {
        var weights = context.ParameterRows(
            outputSizes.Sum(), outputSizes.Select(size => new[] { size, inputSize }).ToList());
        Parts = weights.Select(weight => new Projection(weight, context)).ToList();
    }

    /// <summary>The maps, in the order of their outputs.</summary>
    public IReadOnlyList<Projection> Parts { get; }

    /// <summary>factor · W x for every part.</summary>
    /// <param name="input">x, [..., in], or a function of a tensor.</param>
    /// <param name="factor">A constant such as ν_qkv.</param>
    /// <returns>The parts' outputs one after the other, [..., out], in the compute dtype.</returns>
    public Tensor Forward(LinearInput input, double factor = 1) => new LinearMap(input, Parts, factor).Apply();

    /// <summary>s ⊙ (W x) for every part, with a scale per output.</summary>
    /// <param name="input">x, [..., in], or a function of a tensor.</param>
    /// <param name="scales">Every part's scale, and a constant it is multiplied by.</param>
    /// <returns>The parts' outputs one after the other, [..., out].</returns>
    public Tensor Forward(LinearInput input, IReadOnlyList<(ReparameterizedScale Scale, double Factor)> scales)
        => new LinearMap(input, Parts, Scales: new ReparameterizedRows(scales)).Apply();
}
