using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>
/// The matrix of a linear map on a CUDA device: parts that lie next to each other, their rows perhaps scaled.
/// </summary>
/// <param name="parts">The parts.</param>
/// <param name="dtype">T, the compute dtype.</param>
internal sealed class CudaMatrix(IReadOnlyList<Projection> parts, ScalarType dtype)
{
    private readonly List<Parameter> _weights = parts.Select(part => part.Weight).ToList();

    /// <summary>The parts' matrices.</summary>
    public IReadOnlyList<Parameter> Weights => _weights;

    /// <summary>T.</summary>
    public ScalarType Dtype => dtype;

    /// <summary>Rows of all parts.</summary>
    public long Rows => _weights.Sum(weight => weight.shape[0]);

    /// <summary>The matrix in the compute dtype, outside the graph.</summary>
    /// <param name="scales">What rows are multiplied by, fp32 [out], or null.</param>
    /// <returns>T [out, in].</returns>
    public Tensor Value(Tensor? scales)
    {
        var matrix = AdjacentRows.Of(_weights);
        if (scales is not null)
            matrix = matrix * scales.unsqueeze(1);
        return matrix.dtype == dtype ? matrix : matrix.to(dtype);
    }

    /// <summary>Adds factor · dyᵀ x to the gradient, in place where it is one matrix.</summary>
    /// <param name="dy">T [rows, out].</param>
    /// <param name="x">T [rows, in].</param>
    /// <param name="factor">The factor.</param>
    /// <param name="scales">As in the forward pass.</param>
    /// <returns>The parts' gradients for the graph, null where in place, and the scales', fp32 [out] or null.</returns>
    public (IEnumerable<Tensor?> Weights, Tensor? Scales) AddGradient(
        Tensor dy, Tensor x, double factor, Tensor? scales)
    {
        if (scales is null && AdjacentRows.Gradients(_weights) is { } target)
        {
            CudaProduct.AddTo(target, dy.t(), x, factor);
            return (_weights.Select(_ => (Tensor?)null), null);
        }

        return AddGradient(CudaProduct.Of(dy.t(), x, factor).to(ScalarType.Float32), scales);
    }

    /// <summary>Adds the gradient of the matrix with scaled rows, in place where the gradient is one matrix.</summary>
    /// <param name="gradient">fp32 [out, in].</param>
    /// <param name="scales">As in the forward pass.</param>
    /// <returns>The parts' gradients for the graph, null where in place, and the scales', fp32 [out] or null.</returns>
    public (IEnumerable<Tensor?> Weights, Tensor? Scales) AddGradient(Tensor gradient, Tensor? scales)
    {
        var ofScales = scales is null ? null : (gradient * AdjacentRows.Of(_weights)).sum(1);
        if (AdjacentRows.Gradients(_weights) is not { } target)
            return (Split(scales is null ? gradient : gradient * scales.unsqueeze(1)), ofScales);
        if (scales is null)
            target.add_(gradient);
        else
            target.addcmul_(gradient, scales.unsqueeze(1), 1);
        return (_weights.Select(_ => (Tensor?)null), ofScales);
    }

    private IEnumerable<Tensor> Split(Tensor gradient)
    {
        var first = 0L;
        foreach (var weight in _weights)
        {
            yield return gradient.narrow(0, first, weight.shape[0]);
            first += weight.shape[0];
        }
    }
}
