using System.Globalization;

namespace AnTransformer.Studies.Tuning;

/// <summary>
/// Values that follow the learning rate that is tuned: <c>rate</c>, or a multiple such as <c>rate*5</c>, for fields
/// that are learning rates of their own and must be tuned together with it.
/// </summary>
internal static class RateExpression
{
    private const string Name = "rate";

    /// <summary>The value of a field at a learning rate: the text itself unless it is such an expression.</summary>
    public static string Resolve(string value, double rate)
    {
        if (value == Name)
            return Text(rate);
        return value.StartsWith(Name + "*", StringComparison.Ordinal)
            && double.TryParse(
                value.AsSpan(Name.Length + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var factor)
            ? Text(LearningRateSearch.Round(rate * factor))
            : value;
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
