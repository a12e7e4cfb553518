using System.Globalization;
using AnTransformer.Architectures;

namespace AnTransformer.Studies.Inspection;

/// <summary>
/// Figures as cells of tables: four significant digits, so that columns of numbers near 1 stay narrow.
/// </summary>
internal static class Cell
{
    /// <summary>In place of a figure that there is none of.</summary>
    public const string None = "-";

    public static string Number(double? value) => value switch
    {
        null => None,
        { } number when !double.IsFinite(number) => number.ToString(CultureInfo.InvariantCulture),
        { } number when Math.Abs(number) is >= 1e5 or (> 0 and < 1e-3)
            => number.ToString("0.00e0", CultureInfo.InvariantCulture),
        { } number when Math.Abs(number) >= 100 => number.ToString("f1", CultureInfo.InvariantCulture),
        { } number when Math.Abs(number) >= 10 => number.ToString("f2", CultureInfo.InvariantCulture),
        { } number => number.ToString("f3", CultureInfo.InvariantCulture),
    };

    public static string Prediction(Prediction? prediction)
        => prediction is null ? None : (prediction.IsUpperBound ? "≤ " : "") + Number(prediction.Value);

    public static string Layer(int? layer) => layer?.ToString(CultureInfo.InvariantCulture) ?? None;
}
