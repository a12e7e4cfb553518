using System.Globalization;

namespace AnTransformer.Studies.Tuning;

/// <summary>
/// Learning rates given for single sides, such as <c>ngpt: 1e-3, 2e-3</c> or <c>small/ngpt: 1e-3</c>.
/// </summary>
internal sealed class RatesByName
{
    private readonly Dictionary<string, IReadOnlyList<double>> _rates = new(StringComparer.Ordinal);

    /// <exception cref="InvalidInputException">
    /// An entry is not of this form, or names nothing that there is.
    /// </exception>
    public RatesByName(
        IEnumerable<string> entries, IReadOnlyCollection<string> sides, IReadOnlyCollection<string> sizes, string place)
    {
        foreach (var entry in entries)
        {
            var colon = entry.IndexOf(':', StringComparison.Ordinal);
            var name = colon < 0 ? "" : entry[..colon].Trim();
            var rates = colon < 0
                ? []
                : entry[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries).Select(Parse).ToList();
            if (name.Length == 0 || rates.Contains(null))
                throw new InvalidInputException(
                    $"{place}: '{Printable.Excerpt(entry)}' is not of the form \"side: rate, rate\" with rates between "
                        + "0 and 10.");
            if (rates.Zip(rates.Skip(1)).Any(pair => pair.Second <= pair.First))
                throw new InvalidInputException($"{place}: the rates of '{Printable.Excerpt(entry)}' must ascend.");
            var known = sides.Concat(sizes.SelectMany(size => sides.Select(side => $"{size}/{side}"))).ToList();
            if (!known.Contains(name))
                throw new InvalidInputException(
                    $"{place}: '{Printable.Excerpt(name)}' is none of {string.Join(", ", known)}.");
            _rates[name] = rates.ConvertAll(rate => rate!.Value);
        }
    }

    /// <summary>The rates of a side at a size, or null when none are given.</summary>
    public IReadOnlyList<double>? Of(string size, string side)
        => _rates.GetValueOrDefault($"{size}/{side}") ?? _rates.GetValueOrDefault(side);

    private static double? Parse(string text)
        => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate)
            && rate is > 0 and <= 10
            ? rate
            : null;
}
