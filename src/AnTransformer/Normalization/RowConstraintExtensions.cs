using AnTransformer.Configuration;
using static TorchSharp.torch;

namespace AnTransformer.Normalization;

/// <summary>Applies a <see cref="RowConstraint"/> to matrices.</summary>
public static class RowConstraintExtensions
{
    private const double SmallestNorm = 1e-30;

    /// <summary>Projects the vectors of a matrix into the constrained space, in place and outside the graph.</summary>
    /// <param name="constraint">The space.</param>
    /// <param name="matrix">Shape [out, in].</param>
    /// <param name="dimension">The dimension along which a vector lies: 1 for rows, 0 for columns.</param>
    public static void Apply(this RowConstraint constraint, Tensor matrix, int dimension)
    {
        if (constraint == RowConstraint.None)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var norm = matrix.norm(dimension, keepdim: true, p: 2);
        matrix.div_(norm.clamp_min(constraint == RowConstraint.Bounded ? 1 : SmallestNorm));
    }
}
