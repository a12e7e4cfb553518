using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>
/// First and second moments of what some matrices are applied to, and the second moments of their products with it;
/// sums are kept in double precision.
/// </summary>
/// <param name="readers">The matrices that read the input.</param>
internal sealed class InputMoments(IReadOnlyList<ModelMatrix> readers)
{
    private readonly double[] _productSquares = new double[readers.Count];
    private double[] _sum = [];
    private double _squares;
    private long _count;

    public void Add(Tensor value)
    {
        using var scope = NewDisposeScope();
        var width = value.shape[^1];
        if (_sum.Length == 0)
            _sum = new double[width];
        // A sequence at a time: the head's products are as wide as the vocabulary.
        foreach (var part in value.reshape(value.shape[0], -1, width).unbind())
        {
            using var inner = NewDisposeScope();
            var x = part.to(readers[0].Weight.dtype);
            var sum = Distribution.Numbers(x.sum(0, type: ScalarType.Float64));
            for (var i = 0; i < width; i++)
                _sum[i] += sum[i];
            _squares += Sum(x);
            _count += x.shape[0];
            for (var i = 0; i < readers.Count; i++)
                _productSquares[i] += Sum(nn.functional.linear(x, readers[i].Weight));
        }
    }

    /// <summary>‖E x‖ / √E‖x‖²: 0 for spread directions, 1 when all are the same.</summary>
    public double MeanShare => Math.Sqrt(_sum.Sum(x => x / _count * (x / _count)) / (_squares / _count));

    /// <summary>How the matrices' rows lie to the mean.</summary>
    public IReadOnlyList<MatrixAlignment> Alignments(Activation input)
    {
        var mean = Array.ConvertAll(_sum, x => x / _count);
        return [.. readers.Select((matrix, i) => Alignment(matrix, input, mean, _productSquares[i] / _count))];
    }

    private MatrixAlignment Alignment(ModelMatrix matrix, Activation input, double[] mean, double productSquare)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = matrix.Weight;
        var meanNorm = Math.Sqrt(mean.Sum(x => x * x));
        var ofMean = Distribution.Numbers(weight.matmul(tensor(mean, dtype: weight.dtype, device: weight.device)));
        var rowNorms = Distribution.Numbers(weight.norm(1, keepdim: false, p: 2));
        var cosines = ofMean.Zip(
            rowNorms, (product, norm) => Math.Abs(product) / Math.Max(norm * meanNorm, double.Epsilon)).ToArray();
        // ‖W‖²_F/c · E‖x‖² is what spread directions would give.
        var spread = rowNorms.Sum(norm => norm * norm) / mean.Length * (_squares / _count);
        return new MatrixAlignment(
            matrix.Layer,
            matrix.Name,
            input,
            MeanShare,
            Distribution.Of(cosines),
            mean.Length,
            Math.Sqrt(productSquare / spread),
            Math.Sqrt(ofMean.Sum(product => product * product) / spread));
    }

    private static double Sum(Tensor x) => x.square().sum(ScalarType.Float64).item<double>();
}
