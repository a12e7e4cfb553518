using AnTransformer.Layers;

namespace AnTransformer.Inspection;

/// <summary>
/// How the rows of a matrix lie to the mean of what it is applied to. Why that matters: E‖Wx‖² = ‖Wμ‖² + E‖W(x−μ)‖²
/// with μ = E x. anGPT's factors assume E‖Wx‖² = ‖W‖²_F/c · E‖x‖² (c columns), which holds for spread directions. Rows
/// that align with μ make the first term up to c times as large as its share in that, and nothing measures and divides
/// it away.
/// </summary>
/// <param name="Layer">The block, from 0; null for the head.</param>
/// <param name="Matrix">Its name in checkpoints without the path: <c>q_proj</c>.</param>
/// <param name="Input">What it is applied to.</param>
/// <param name="MeanShare">‖μ‖ / √E‖x‖²: 0 for spread directions, 1 when all inputs are the same.</param>
/// <param name="Cosines">|cos| of the angles between rows and μ.</param>
/// <param name="Columns">c, the input's width.</param>
/// <param name="Amplification">
/// √(E‖Wx‖² / (‖W‖²_F/c · E‖x‖²)): how many times longer the output is than spread directions make it.
/// </param>
/// <param name="AmplificationOfMean">
/// √(‖Wμ‖² / (‖W‖²_F/c · E‖x‖²)): the mean's part in that, to be compared by squares.
/// </param>
public sealed record MatrixAlignment(
    int? Layer,
    string Matrix,
    Activation Input,
    double MeanShare,
    Distribution Cosines,
    long Columns,
    double Amplification,
    double AmplificationOfMean)
{
    /// <summary>E|cos| between a fixed and a random direction: √(2/(πc)) for wide inputs.</summary>
    public double RandomCosine => Math.Sqrt(2 / (Math.PI * Columns));

    /// <summary>√E cos² times √c: 1 for random directions, √c when every row points along μ.</summary>
    public double CosineRatio => Cosines.RootMeanSquare * Math.Sqrt(Columns);
}
