using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// A linear map with what comes before it (<see cref="LinearInput"/>), its constant ν, factors per output, and what
/// comes after it, the residual update: <c>keep ⊙ h + share ⊙ (ν · s ⊙ W f(x))</c>.
/// </summary>
/// <param name="Input">x, [..., in], or a function of it.</param>
/// <param name="Parts">W's parts, [out, in] together.</param>
/// <param name="Factor">ν.</param>
/// <param name="Scales">s, or null.</param>
/// <param name="Stream">h, [..., out], or null for no residual update.</param>
/// <param name="Interpolation">keep and share, or null for 1 and 1; not together with factors per output.</param>
internal readonly record struct LinearMap(
    LinearInput Input,
    IReadOnlyList<Projection> Parts,
    double Factor = 1,
    RowScales? Scales = null,
    Tensor? Stream = null,
    Interpolation? Interpolation = null)
{
    /// <summary>Dtypes, device and backend, which the parts share.</summary>
    public ModelContext Context => Parts[0].Context;

    /// <summary>Applies the map on its model's backend.</summary>
    /// <returns>Shape [..., out]; in the stream's dtype where there is one, else in the compute dtype.</returns>
    public Tensor Apply() => Context.Operators.Linear(this);
}
