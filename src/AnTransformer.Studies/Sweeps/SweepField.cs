using System.Globalization;
using System.Text.RegularExpressions;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Sweeps;

/// <summary>A field that a sweep varies: a list of values, or a range to draw from.</summary>
internal sealed partial class SweepField
{
    private readonly (double Low, double High, bool IsLogarithmic, bool IsWhole)? _range;

    private SweepField(
        string key, IReadOnlyList<string> values, (double Low, double High, bool IsLogarithmic, bool IsWhole)? range)
        => (Key, Values, _range) = (key, values, range);

    /// <summary>The field's dotted key.</summary>
    public string Key { get; }

    /// <summary>The last part of the key.</summary>
    public string Name => Key[(Key.LastIndexOf('.') + 1)..];

    /// <summary>Values of a list; empty for a range.</summary>
    public IReadOnlyList<string> Values { get; }

    /// <summary>Whether values are drawn from a range.</summary>
    public bool IsRange => _range is not null;

    /// <summary>Reads <c>key=value,value</c>, <c>key=log(low,high)</c> or <c>key=uniform(low,high)</c>.</summary>
    /// <exception cref="InvalidInputException">It is not of this form, or there is no such field.</exception>
    public static SweepField Parse(string text, string place)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
            throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' is not of the form \"key=value,value\", \"key=log(low,high)\" "
                    + "or \"key=uniform(low,high)\".");
        var field = ConfigurationBinder.Field<TrainingConfiguration>(text[..equals].Trim(), place);
        var right = text[(equals + 1)..].Trim();
        if (Range().Match(right) is { Success: true } match)
        {
            var isLogarithmic = match.Groups["kind"].Value == "log";
            var isRange = TryNumber(match.Groups["low"].Value, out var low) & TryNumber(
                match.Groups["high"].Value, out var high);
            if (!isRange || high <= low || (isLogarithmic && low <= 0))
                throw new InvalidInputException(
                    $"{place}: '{Printable.Excerpt(right)}' must have a lower and a higher "
                        + $"number{(isLogarithmic ? " above 0" : "")}.");
            if (field.Type != typeof(double) && field.Type != typeof(int) && field.Type != typeof(long))
                throw new InvalidInputException(
                    $"{place}: '{field.Key}' is not a number; give a list of values instead of "
                        + $"{Printable.Excerpt(right)}.");
            return new SweepField(field.Key, [], (low, high, isLogarithmic, field.Type != typeof(double)));
        }

        var values = right.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (values.Length == 0 || values.Distinct(StringComparer.Ordinal).Count() < values.Length)
            throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' must have one or more values, none of them twice.");
        return new SweepField(field.Key, values, range: null);
    }

    /// <summary>A value at random.</summary>
    public string Draw(Random random)
    {
        if (_range is not { } range)
            return Values[random.Next(Values.Count)];
        var share = random.NextDouble();
        var value = range.IsLogarithmic
            ? range.Low * Math.Pow(range.High / range.Low, share)
            : range.Low + (share * (range.High - range.Low));
        return (range.IsWhole ? Math.Round(value) : double.Parse(
            value.ToString("G4", CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture)).ToString("R", CultureInfo.InvariantCulture);
    }

    /// <summary>A value as a number, or null.</summary>
    public static double? Number(string value) => TryNumber(value, out var number) ? number : null;

    private static bool TryNumber(string text, out double number)
        => double.TryParse(
            text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture,
            out number) && double.IsFinite(number);

    [GeneratedRegex(@"^(?<kind>log|uniform)\(\s*(?<low>[^,\s]+)\s*,\s*(?<high>[^,\s]+)\s*\)\z",
        RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Range();
}
