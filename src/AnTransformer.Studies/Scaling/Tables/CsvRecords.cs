using nietras.SeparatedValues;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>
/// Splits delimited text into records as RFC 4180 has it: quoted fields may hold delimiters, quotes (doubled) and line
/// breaks.
/// </summary>
internal static class CsvRecords
{
    private const string DelimiterMark = "sep=";
    private static readonly char[] Delimiters = [',', ';', '\t'];

    /// <summary>All records that hold anything, with the lines they begin on. Fields are trimmed.</summary>
    /// <exception cref="InvalidInputException">
    /// A quoted field does not end, or a record is too long to be one.
    /// </exception>
    public static List<(int Line, List<string> Fields)> Read(string text, string name)
    {
        var records = new List<(int, List<string>)>();
        var marked = Marked(text);
        // The number of fields is checked by who knows what they are.
        using var reader = Sep.New(marked ?? Detect(text)).Reader(options => options with
        {
            HasHeader = false,
            DisableColCountCheck = true,
            Unescape = true,
            Trim = SepTrim.Outer,
        }).FromText(text);
        var line = 1;
        try
        {
            foreach (var row in reader)
            {
                line = row.LineNumberFrom;
                // A quote that is not closed takes in the rest of the file.
                if (row.Span.Count('"') % 2 != 0)
                    throw new InvalidInputException(
                        $"{name}:{line}: a quoted field begins here and never ends; close it with '\"'.");
                var fields = new List<string>(row.ColCount);
                for (var i = 0; i < row.ColCount; i++)
                    fields.Add(row[i].Span.Trim().ToString());
                // Spreadsheets end their exports with lines of delimiters only.
                if (fields.Exists(field => field.Length > 0) && (marked is null || row.RowIndex > 0))
                    records.Add((line, fields));
                line = row.LineNumberToExcl;
            }
        }
        catch (NotSupportedException e)
        {
            throw new InvalidInputException(
                $"{name}:{line}: a record of millions of characters begins here; this is no table of runs.", e);
        }

        return records;
    }

    /// <summary>The delimiter that a spreadsheet names in a first line <c>sep=;</c>, or null.</summary>
    private static char? Marked(string text)
    {
        var end = text.AsSpan().IndexOfAny('\r', '\n');
        var isMarked = end == DelimiterMark.Length + 1
            && text.StartsWith(DelimiterMark, StringComparison.OrdinalIgnoreCase)
            && Delimiters.Contains(text[end - 1]);
        return isMarked ? text[end - 1] : null;
    }

    /// <summary>The delimiter that the first line has most of, quoted ones aside.</summary>
    private static char Detect(string text)
    {
        var counts = new int[Delimiters.Length];
        var isQuoted = false;
        foreach (var character in text.TrimStart())
        {
            if (character == '"')
                isQuoted = !isQuoted;
            else if (!isQuoted && character is '\n' or '\r')
                break;
            else if (!isQuoted && Array.IndexOf(Delimiters, character) is var i and >= 0)
                counts[i]++;
        }

        return Delimiters[Array.IndexOf(counts, counts.Max())];
    }
}
