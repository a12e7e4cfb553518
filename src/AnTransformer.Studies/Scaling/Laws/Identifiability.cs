using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Studies.Scaling.Laws;

/// <summary>What rows must have for the five parameters of L(N, D) to follow from them.</summary>
internal static class Identifiability
{
    /// <summary>One more than parameters.</summary>
    private const int FewestRows = 6;

    /// <summary>A constant, a scale and an exponent need three sizes.</summary>
    private const int FewestSizes = 3;

    /// <exception cref="InvalidInputException">The rows lack something.</exception>
    public static void Require(IReadOnlyList<ScalingPoint> points, string place)
    {
        if (Lacks(points) is { } lacking)
            throw new InvalidInputException($"{place}: {lacking}; add runs, or fit L(C) alone with --law power.");
    }

    /// <summary>What the rows lack, as a clause, or null.</summary>
    public static string? Lacks(IReadOnlyList<ScalingPoint> points)
    {
        if (points.Count < FewestRows)
            return $"L(N, D) has 5 parameters and needs at least {FewestRows} rows, but there "
                + $"{(points.Count == 1 ? "is 1" : $"are {points.Count}")}";
        if (Levels.CountDistinct(points, point => point.Parameters) is var sizes and < FewestSizes)
            return $"E, A and α need at least {FewestSizes} numbers of parameters that differ by more than 1 %, but "
                + $"the rows have {sizes}";
        if (Levels.CountDistinct(points, point => point.Tokens) is var lengths and < FewestSizes)
            return $"E, B and β need at least {FewestSizes} numbers of tokens that differ by more than 1 %, but the "
                + $"rows have {lengths}";
        return null;
    }
}
