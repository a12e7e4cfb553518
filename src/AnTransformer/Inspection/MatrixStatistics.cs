using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>The vectors and the spectrum of a matrix.</summary>
/// <param name="Layer">The block, from 0; null for embedding and head.</param>
/// <param name="Matrix">Its name in checkpoints without the path: <c>q_proj</c>.</param>
/// <param name="Rows">Output width (of the embedding: V).</param>
/// <param name="Columns">Input width (of the embedding: d).</param>
/// <param name="ByColumn">Whether the vectors are columns, as they are in nGPT's output matrices, and not rows.</param>
/// <param name="VectorNorms">The vectors' L2 norms.</param>
/// <param name="AtBound">How many vectors have a norm of at least 1 − 1e-3.</param>
/// <param name="FrobeniusNorm">‖W‖_F.</param>
/// <param name="SpectralNorm">
/// The largest singular value by power iteration, to about 1 % from below; null when not asked for.
/// </param>
public sealed record MatrixStatistics(
    int? Layer,
    string Matrix,
    long Rows,
    long Columns,
    bool ByColumn,
    Distribution VectorNorms,
    long AtBound,
    double FrobeniusNorm,
    double? SpectralNorm)
{
    private const double Bound = 1 - 1e-3;
    private const int MostIterations = 200;
    private const double Tolerance = 1e-5;

    /// <summary>‖W‖²_F / ‖W‖²₂: how many directions the matrix spreads over.</summary>
    public double? StableRank => FrobeniusNorm * FrobeniusNorm / (SpectralNorm * SpectralNorm);

    internal static MatrixStatistics Of(ModelMatrix matrix, bool withSpectrum)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var weight = matrix.Weight;
        var norms = Distribution.Numbers(weight.norm(matrix.VectorDimension, keepdim: false, p: 2));
        return new MatrixStatistics(
            matrix.Layer,
            matrix.Name,
            weight.shape[0],
            weight.shape[1],
            matrix.VectorDimension == 0,
            Distribution.Of(norms),
            norms.LongCount(norm => norm >= Bound),
            Math.Sqrt(norms.Sum(norm => norm * norm)),
            withSpectrum ? LargestSingularValue(weight) : null);
    }

    private static double LargestSingularValue(Tensor weight)
    {
        // A generator of its own: measuring must not move that of a training run.
        using var generator = new Generator(0, CPU);
        var v = randn([weight.shape[1]], dtype: weight.dtype, generator: generator).to(weight.device);
        v.div_(v.norm());
        var before = 0.0;
        for (var i = 0; i < MostIterations; i++)
        {
            using var inner = NewDisposeScope();
            var product = weight.matmul(v);
            var now = product.norm().to(ScalarType.Float64).item<double>();
            if (!(Math.Abs(now - before) > Tolerance * now))
                return now;
            before = now;
            var next = weight.t().matmul(product);
            v.copy_(next.div_(next.norm()));
        }

        return before;
    }
}
