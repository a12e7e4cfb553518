using System.Globalization;
using System.Text.RegularExpressions;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>
/// Which of point and comma separates decimals in a table. Spreadsheets write numbers as the country of their user
/// does; within a table all are written alike, so that one number that can be read in one way only decides for those
/// that can be read in two, such as 1.234.
/// </summary>
internal sealed partial class NumberNotation
{
    private readonly bool _isComma;
    private readonly bool _isKnown;

    private NumberNotation(bool isComma, bool isKnown) => (_isComma, _isKnown) = (isComma, isKnown);

    private enum Decimals
    {
        Either,
        Point,
        Comma,
    }

    /// <summary>The notation of a table's numbers.</summary>
    /// <param name="cells">Texts of the columns that are read, with their places.</param>
    /// <exception cref="InvalidInputException">
    /// Some numbers have a decimal point and others a decimal comma.
    /// </exception>
    public static NumberNotation Of(IEnumerable<(string Text, string Place)> cells)
    {
        (string Text, string Place)? point = null, comma = null;
        foreach (var cell in cells)
        {
            var decimals = Read(cell.Text);
            point ??= decimals == Decimals.Point ? cell : null;
            comma ??= decimals == Decimals.Comma ? cell : null;
        }

        return point is { } one && comma is { } other
            ? throw new InvalidInputException(
                $"{other.Place}: '{other.Text}' has a decimal comma or points between thousands, but '{one.Text}' "
                    + $"({one.Place}) has a decimal point; "
                + "write all numbers like 3.21, 1400000000 or 1.4e9.")
            : new NumberNotation(comma is not null, point is not null || comma is not null);
    }

    /// <summary>Reads a number.</summary>
    /// <param name="text">A text.</param>
    /// <param name="value">The number; infinite where it is too large.</param>
    /// <returns>Whether it is one.</returns>
    public bool TryParse(string text, out double value)
        => double.TryParse(Canonical(text), NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    /// <summary>
    /// Whether a number can be read in two ways, and nothing in the table says in which: one comma before three digits.
    /// </summary>
    /// <param name="text">A text.</param>
    public bool IsAmbiguous(string text) => !_isKnown && OneComma().IsMatch(WithoutBlanks(text));

    /// <summary>As the invariant culture writes it; a text that is no number stays none.</summary>
    private string Canonical(string text)
    {
        // Infinity as .NET spells it.
        if (text.EndsWith("inf", StringComparison.OrdinalIgnoreCase))
            return text + "inity";
        var number = WithoutBlanks(text.Replace("_", "", StringComparison.Ordinal));
        var (decimals, thousands) = _isComma ? (',', '.') : ('.', ',');
        if (Grouped(thousands).IsMatch(number))
            number = number.Replace(thousands.ToString(), "", StringComparison.Ordinal);
        return number.Contains(thousands, StringComparison.Ordinal) ? text : number.Replace(decimals, '.');
    }

    /// <summary>What a number's separators can only be.</summary>
    private static Decimals Read(string text)
    {
        var number = WithoutBlanks(text);
        if (!Number().IsMatch(number))
            return Decimals.Either;
        var (points, commas) = (number.Count(c => c == '.'), number.Count(c => c == ','));
        if (points > 0 && commas > 0)
            return number.LastIndexOf('.') > number.LastIndexOf(',') ? Decimals.Point : Decimals.Comma;
        if (points > 1 || (commas == 1 && !OneComma().IsMatch(number)))
            return Decimals.Comma;
        return commas > 1 || (points == 1 && !OnePoint().IsMatch(number)) ? Decimals.Point : Decimals.Either;
    }

    /// <summary>Without blanks and apostrophes between groups of three digits.</summary>
    private static string WithoutBlanks(string text) => BlankGroups().IsMatch(text) ? Blanks().Replace(text, "") : text;

    private static Regex Grouped(char separator) => separator == '.' ? PointGroups() : CommaGroups();

    [GeneratedRegex(@"^[+-]?[\d.,]*\d[.,]?(e[+-]?\d+)?\z",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, Timeout.Infinite)]
    private static partial Regex Number();

    [GeneratedRegex(@"^[+-]?[1-9]\d{0,2},\d{3}\z", RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex OneComma();

    [GeneratedRegex(@"^[+-]?[1-9]\d{0,2}\.\d{3}\z", RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex OnePoint();

    [GeneratedRegex(@"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?\z", RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex CommaGroups();

    [GeneratedRegex(@"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?\z", RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex PointGroups();

    [GeneratedRegex(@"^[+-]?\d{1,3}([ '’\u00A0\u202F]\d{3})+([.,]\d*)?\z", RegexOptions.ExplicitCapture,
        Timeout.Infinite)]
    private static partial Regex BlankGroups();

    [GeneratedRegex(@"[ '’\u00A0\u202F]", RegexOptions.None, Timeout.Infinite)]
    private static partial Regex Blanks();
}
