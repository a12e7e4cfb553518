using AnTransformer.Configuration;

namespace AnTransformer.Normalization;

/// <summary>
/// The constants ν of the approximately normalized transformer (arXiv 2505.22014, section 3): what every linear map and
/// gate is multiplied by so that a unit-norm input gives a unit-norm output on average. All are known before training.
/// </summary>
/// <remarks>
/// None depends on the numbers of heads H and of key-value heads K, nor on H·d_h being d. What is to have norm 1 in
/// attention is one head's query, key or value, d_h rows of W_q, W_k or W_v, of which E‖Wx‖² = d_h/d whatever the
/// number of heads. W_o is [d, H·d_h] with unit rows, so that E‖W_o y‖² = d/(H·d_h) · ‖y‖², and its input y, H heads
/// of norm 1, has ‖y‖² = H: together d/d_h. The expectation is over W_o's rows, so that heads that share values
/// (grouped queries), and are alike for it, change nothing.
/// </remarks>
/// <param name="Qkv">ν_qkv = √(d/d_h): query, key and value of one head.</param>
/// <param name="Output">ν_o = √(d_h/d): the attention output, whose input (H unit heads) has norm √H.</param>
/// <param name="UpGate">ν_ug = √(d/f): MLP up and gate.</param>
/// <param name="Activation">ν_act = 1/√E[act(z)²], z ~ N(0, d/f): the gated product.</param>
/// <param name="Down">ν_down = √(f/d): MLP down.</param>
/// <param name="Residual">Whether residual updates are multiplied by ν(α), see <see cref="OfResidual"/>.</param>
public sealed record NormalizationFactors(
    double Qkv, double Output, double UpGate, double Activation, double Down, bool Residual)
{
    /// <summary>The factors of a model; those switched off in <see cref="ModelConfig.Factors"/> are 1.</summary>
    /// <param name="config">Widths and switches.</param>
    public static NormalizationFactors For(ModelConfig config)
    {
        double d = config.HiddenSize, dh = config.Attention.HeadSize, f = config.IntermediateSize;
        var on = config.Factors;
        return new NormalizationFactors(
            Qkv: on.Qkv ? OfLinear(rows: dh, columns: d) : 1,
            Output: on.Output ? Math.Sqrt(dh / d) : 1,
            UpGate: on.UpGate ? OfLinear(rows: f, columns: d) : 1,
            Activation: on.Activation ? OfActivation(Silu, Math.Sqrt(d / f)) : 1,
            Down: on.Down ? OfLinear(rows: d, columns: f) : 1,
            Residual: on.Residual);
    }

    /// <summary>
    /// ν = √(columns/rows) of a matrix with unit rows on a unit-norm input of spread direction, from E‖Wx‖² =
    /// rows/columns.
    /// </summary>
    /// <param name="rows">Output width.</param>
    /// <param name="columns">Input width.</param>
    public static double OfLinear(double rows, double columns) => Math.Sqrt(columns / rows);

    /// <summary>
    /// ν_act = 1/√E[act(σ n)²] of the product of a unit-norm vector and an independent gate, by quadrature.
    /// </summary>
    /// <param name="activation">The gate's activation.</param>
    /// <param name="standardDeviation">σ of the gate's pre-activation: √(d/f).</param>
    public static double OfActivation(Func<double, double> activation, double standardDeviation)
        => 1 / Math.Sqrt(GaussianExpectation.Of(z => activation(z) * activation(z), standardDeviation));

    /// <summary>ν(α) = 1/√(α² + (1−α)²), from E‖(1−α)h + αx‖² for independent unit h and x.</summary>
    /// <param name="alpha">The share α of the update.</param>
    public static double OfResidual(double alpha) => 1 / Math.Sqrt((alpha * alpha) + ((1 - alpha) * (1 - alpha)));

    /// <summary>SiLU(z) = z·σ(z), the activation of the four architectures' gates.</summary>
    /// <param name="z">Pre-activation.</param>
    public static double Silu(double z) => z / (1 + Math.Exp(-z));
}
