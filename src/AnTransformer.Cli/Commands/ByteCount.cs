using System.Globalization;
using System.Text.RegularExpressions;

namespace AnTransformer.Cli.Commands;

/// <summary>Sizes of files as Hugging Face's tools take them: <c>5GB</c>, <c>200MB</c>, <c>1.5GiB</c>.</summary>
internal static partial class ByteCount
{
    /// <summary>Reads a size.</summary>
    /// <param name="option">The option's name, for the message.</param>
    /// <param name="text">Its value.</param>
    /// <returns>Bytes, 1 or more.</returns>
    /// <exception cref="InvalidInputException">It is no size.</exception>
    public static long Parse(string option, string text)
    {
        var match = Form().Match(text);
        var unit = match.Groups["unit"].Value.ToUpperInvariant();
        var scale = unit.Length == 0 ? 1 : Math.Pow(unit.EndsWith("IB", StringComparison.Ordinal) ? 1024 : 1000,
            1 + "KMGT".IndexOf(unit[0], StringComparison.Ordinal));
        return match.Success
            && double.TryParse(match.Groups["number"].Value, CultureInfo.InvariantCulture, out var number)
            && number * scale is >= 1 and < 1e15
            ? (long)(number * scale)
            : throw new InvalidInputException(
                $"{option} must be a size like 5GB, 200MB or 1.5GiB, not '{Printable.Excerpt(text)}'.");
    }

    [GeneratedRegex(
        @"^(?<number>\d{1,15}(\.\d{1,6})?) ?(?<unit>[kmgtKMGT][iI]?[bB])?$", RegexOptions.ExplicitCapture, -1)]
    private static partial Regex Form();
}
