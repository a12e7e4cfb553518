using AnTransformer.Studies.Scaling.Laws;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>A number that a law has, by name, so that tables, JSON and comparisons list the same ones.</summary>
/// <typeparam name="TLaw">The law.</typeparam>
/// <param name="Key">Name in JSON.</param>
/// <param name="Symbol">Name in tables.</param>
/// <param name="Of">Its value.</param>
public sealed record Quantity<TLaw>(string Key, string Symbol, Func<TLaw, double> Of);

/// <summary>The quantities of each law. Exponents can be compared between groups; scales depend on the units.</summary>
public static class Quantities
{
    /// <summary>Exponents of L(N, D) and of the compute-optimal sizes.</summary>
    public static IReadOnlyList<Quantity<ParametricLaw>> ParametricExponents { get; } =
    [
        new("alpha", "α", law => law.Alpha),
        new("beta", "β", law => law.Beta),
        new("parameters_exponent", "a = β/(α+β)", law => law.ParameterExponent),
        new("tokens_exponent", "b = α/(α+β)", law => law.TokenExponent),
    ];

    /// <summary>All of L(N, D).</summary>
    public static IReadOnlyList<Quantity<ParametricLaw>> Parametric { get; } =
    [
        new("E", "E", law => law.E),
        new("A", "A", law => law.A),
        new("B", "B", law => law.B),
        .. ParametricExponents,
    ];

    /// <summary>The exponent of L(C).</summary>
    public static IReadOnlyList<Quantity<ComputeLaw>> ComputeExponents { get; } = [new(
        "gamma", "γ", law => law.Exponent)];

    /// <summary>All of L(C).</summary>
    public static IReadOnlyList<Quantity<ComputeLaw>> Compute { get; } =
        [new("floor", "L∞", law => law.Floor), new("scale", "k", law => law.Scale), .. ComputeExponents];

    /// <summary>Exponents of a best learning rate or batch size.</summary>
    public static IReadOnlyList<Quantity<HyperparameterLaw>> HyperparameterExponents { get; } =
        [new("parameters_exponent", "p", law => law.ParameterExponent), new(
            "tokens_exponent", "q", law => law.TokenExponent)];

    /// <summary>All of a best learning rate or batch size.</summary>
    public static IReadOnlyList<Quantity<HyperparameterLaw>> Hyperparameter { get; } = [new(
        "scale", "k", law => law.Scale), .. HyperparameterExponents];
}
