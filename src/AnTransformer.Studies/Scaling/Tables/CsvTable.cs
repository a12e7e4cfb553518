using AnTransformer.Files;

namespace AnTransformer.Studies.Scaling.Tables;

/// <summary>
/// A table of comma-, semicolon- or tab-separated values with a header row. Columns are found by name, letter case set
/// aside when no column has the exact name; numbers are written like 3.21, 1e9 or 1_000, or as spreadsheets of other
/// countries write them, like 3,21 and 1.400.000.
/// </summary>
public sealed class CsvTable
{
    private static readonly string[] MissingMarks = ["", "na", "n/a", "nan", "null", "none"];

    private readonly List<string> _headers;
    private readonly List<(int Line, List<string> Fields)> _rows;

    private CsvTable(string name, List<string> headers, List<(int Line, List<string> Fields)> rows)
        => (Name, _headers, _rows) = (name, headers, rows);

    /// <summary>The file, as errors name it.</summary>
    public string Name { get; }

    /// <summary>Titles of the columns, in order.</summary>
    public IReadOnlyList<string> Headers => _headers;

    /// <summary>Number of rows below the header; blank lines do not count.</summary>
    public int RowCount => _rows.Count;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, in UTF-8, or UTF-16 with a byte order mark.</param>
    /// <exception cref="InvalidInputException">
    /// It cannot be read, is empty, or a row has more fields than the header.
    /// </exception>
    public static CsvTable Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new InvalidInputException($"{path} is a directory; name the CSV file in it.");
        try
        {
            return Parse(CsvText.Decode(RegularFile.ReadAllBytes(path, RegularFile.TableLimit), path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidInputException($"{path}: there is no such file; give the path of a CSV table of runs.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{path}: cannot be read ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}); check its permissions.",
                e);
        }
    }

    /// <summary>Reads text.</summary>
    /// <param name="text">The table.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="InvalidInputException">It is empty, or a row has more fields than the header.</exception>
    public static CsvTable Parse(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        var records = CsvRecords.Read(text.TrimStart('\uFEFF'), name);
        if (records.Count == 0)
            throw new InvalidInputException($"{name}: the file is empty; it needs a header row and a row per run.");
        var (headers, rows) = (records[0].Fields, records[1..]);
        foreach (var (line, fields) in rows)
        {
            // A delimiter at the end of each row is harmless; another value is a shifted row.
            if (fields.FindLastIndex(field => field.Length > 0) is var last && last >= headers.Count)
                throw new InvalidInputException(
                    $"{name}:{line}: {last + 1} values, but the header has {headers.Count} columns; quote values that "
                        + "contain the delimiter.");
        }

        return new CsvTable(name, headers, rows);
    }

    /// <summary>The table without some of its rows.</summary>
    /// <param name="keep">Whether a row, from 0, stays.</param>
    internal CsvTable Where(Func<int, bool> keep) => new(Name, _headers, [.. _rows.Where((_, row) => keep(row))]);

    /// <summary>Whether a column of that name exists.</summary>
    /// <param name="column">Name, letter case set aside.</param>
    public bool Has(string column)
        => _headers.Exists(header => header.Equals(column, StringComparison.OrdinalIgnoreCase));

    /// <summary>Line of a row in the file, from 1.</summary>
    /// <param name="row">Row, from 0.</param>
    public int Line(int row) => _rows[row].Line;

    /// <summary>The texts of a column, empty where a row is short.</summary>
    /// <param name="column">Its name.</param>
    /// <param name="option">What the user sets to name another column, for the error.</param>
    /// <exception cref="InvalidInputException">No column has that name, or several.</exception>
    public IReadOnlyList<string> Texts(string column, string? option = null)
    {
        var index = Find(column, option);
        return _rows.ConvertAll(row => index < row.Fields.Count ? row.Fields[index] : "");
    }

    /// <summary>How the numbers of some columns are written, which those of one alone may not tell.</summary>
    /// <param name="columns">Names of columns; those that do not exist are left out.</param>
    /// <exception cref="InvalidInputException">Some have a decimal point and others a decimal comma.</exception>
    internal NumberNotation Notation(IEnumerable<string> columns)
        => NumberNotation.Of(
            columns.Where(Has).SelectMany(column => Texts(column).Select((text, row) => (text, Place(row, column)))));

    /// <summary>The numbers of a column.</summary>
    /// <param name="column">Its name.</param>
    /// <param name="option">What the user sets to name another column, for the error.</param>
    /// <param name="allowMissing">Whether empty fields, NaN and infinities are read as NaN rather than refused.</param>
    /// <exception cref="InvalidInputException">
    /// No column has that name, or several; a value is missing, no number, or not positive.
    /// </exception>
    public double[] Positive(string column, string? option = null, bool allowMissing = false)
        => Positive(column, option, allowMissing, Notation([column]));

    /// <summary>The numbers of a column that are written in a known way.</summary>
    internal double[] Positive(string column, string? option, bool allowMissing, NumberNotation notation)
        => [.. Texts(column, option).Select(
            (text, row) => PositiveNumber(text, Place(row, column), allowMissing, notation))];

    private string Place(int row, string column) => $"{Name}:{Line(row)}: column '{Printable.Excerpt(column)}'";

    private static double PositiveNumber(string text, string place, bool allowMissing, NumberNotation notation)
    {
        const string Skip = "or leave such rows out with --skip-incomplete";
        if (MissingMarks.Contains(text.ToLowerInvariant()))
            return allowMissing
                ? double.NaN
                : throw new InvalidInputException(
                    $"{place}: the value is missing{(text.Length > 0 ? $" ('{text}')" : "")}; fill it in, {Skip}.");
        if (notation.IsAmbiguous(text))
            throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' may be a decimal comma or one between thousands; write it like "
                    + "3.21, 1400000000 or 1.4e9.");
        if (!notation.TryParse(text, out var value))
            throw new InvalidInputException(
                $"{place}: '{Printable.Excerpt(text)}' is not a number; write it like 3.21, 1400000000 or 1.4e9.");
        if (!double.IsFinite(value))
            return allowMissing
                ? double.NaN
                : throw new InvalidInputException(
                    $"{place}: '{Printable.Excerpt(text)}' is not finite; correct it, {Skip}.");
        return value > 0
            ? value
            : throw new InvalidInputException(
                $"{place}: {Printable.Excerpt(text)} is not positive, but a power law needs positive values; correct "
                    + "the row or remove it.");
    }


    private int Find(string column, string? option)
    {
        var name = column.Trim();
        var setOption = option is null ? "" : $" with {option}";
        var exact = Indexes(StringComparison.Ordinal);
        var found = exact.Count > 0 ? exact : Indexes(StringComparison.OrdinalIgnoreCase);
        if (found.Count == 1)
            return found[0];
        if (found.Count > 1)
            throw new InvalidInputException(
                $"{Name}: {found.Count} columns are named '{Printable.Excerpt(name)}'; rename one of them.");
        var near = NearestName.Of(name, _headers.Where(header => header.Length > 0));
        throw new InvalidInputException(
            $"{Name}: there is no column "
            + $"'{Printable.Excerpt(name)}'{(near is null ? ";" : $"; did you mean '{Printable.Excerpt(near)}'?")} "
            + $"name the column{setOption} (the table has "
            + string.Join(", ", _headers.Take(20).Select(header => $"'{Printable.Excerpt(header)}'"))
            + $"{(_headers.Count > 20 ? ", ..." : "")}).");

        List<int> Indexes(StringComparison comparison)
            => [.. Enumerable.Range(0, _headers.Count).Where(i => _headers[i].Equals(name, comparison))];
    }
}
