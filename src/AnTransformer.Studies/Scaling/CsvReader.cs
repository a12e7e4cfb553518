using System.Text;

namespace AnTransformer.Studies.Scaling;

/// <summary>Splits delimited text into records as RFC 4180 has it: quoted fields may hold delimiters, quotes (doubled) and line breaks.</summary>
internal sealed class CsvReader
{
    private readonly string _text;
    private readonly string _name;
    private readonly char _delimiter;
    private int _at;
    private int _line = 1;

    private CsvReader(string text, string name)
    {
        (_text, _name) = (text, name);
        _delimiter = Detect(text);
    }

    /// <summary>All records that hold anything, with the lines they begin on. Fields are trimmed.</summary>
    /// <exception cref="InvalidInputException">A quoted field does not end.</exception>
    public static List<(int Line, List<string> Fields)> Read(string text, string name)
    {
        var reader = new CsvReader(text, name);
        var records = new List<(int, List<string>)>();
        while (reader._at < text.Length)
        {
            var line = reader._line;
            var fields = reader.ReadRecord();
            // Spreadsheets end their exports with lines of delimiters only.
            if (fields.Exists(field => field.Length > 0))
                records.Add((line, fields));
        }

        return records;
    }

    /// <summary>The delimiter is whichever of comma, semicolon and tab the first line has most of.</summary>
    private static char Detect(string text)
    {
        int commas = 0, semicolons = 0, tabs = 0;
        var isQuoted = false;
        foreach (var character in text.TrimStart())
        {
            if (character == '"')
                isQuoted = !isQuoted;
            if (isQuoted)
                continue;
            if (character is '\n' or '\r')
                break;
            commas += character == ',' ? 1 : 0;
            semicolons += character == ';' ? 1 : 0;
            tabs += character == '\t' ? 1 : 0;
        }

        return tabs > Math.Max(commas, semicolons) ? '\t' : semicolons > commas ? ';' : ',';
    }

    private List<string> ReadRecord()
    {
        var fields = new List<string>();
        while (true)
        {
            fields.Add(ReadField());
            if (_at == _text.Length)
                return fields;
            if (_text[_at++] == _delimiter)
                continue;
            // A line break: \n, \r\n, or \r alone.
            if (_text[_at - 1] == '\r' && _at < _text.Length && _text[_at] == '\n')
                _at++;
            _line++;
            return fields;
        }
    }

    /// <summary>Reads up to a delimiter, a line break or the end.</summary>
    private string ReadField()
    {
        var field = new StringBuilder();
        while (_at < _text.Length && _text[_at] is ' ' or '\t' && _text[_at] != _delimiter)
            _at++;
        if (_at < _text.Length && _text[_at] == '"')
            ReadQuoted(field);
        while (_at < _text.Length && _text[_at] != _delimiter && _text[_at] is not ('\r' or '\n'))
            field.Append(_text[_at++]);
        return field.ToString().Trim();
    }

    private void ReadQuoted(StringBuilder field)
    {
        var line = _line;
        for (_at++; _at < _text.Length; _at++)
        {
            var character = _text[_at];
            if (character == '"')
            {
                if (_at + 1 == _text.Length || _text[_at + 1] != '"')
                {
                    _at++;
                    return;
                }

                _at++;
            }

            if (character == '\n' || (character == '\r' && (_at + 1 == _text.Length || _text[_at + 1] != '\n')))
                _line++;
            field.Append(character);
        }

        throw new InvalidInputException($"{_name}:{line}: a quoted field begins here and never ends; close it with '\"'.");
    }
}
