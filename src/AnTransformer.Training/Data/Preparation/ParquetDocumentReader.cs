using AnTransformer.Files;
using ParquetSharp;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reads a text column of a Parquet file, page by page, with Apache's own reader, which checks what a file claims
/// against what it holds. Nulls are left out, and strings are the bytes that they are stored as. A field of a structure
/// is named by its path, as in <c>meta.text</c>.
/// </summary>
internal sealed class ParquetDocumentReader : DocumentReader
{
    private const int BatchRows = 256;

    private readonly string _path;
    private readonly DocumentSourceOptions _options;
    private readonly long _bytes;
    private readonly ParquetFileReader _file;
    private readonly int _column;
    private readonly int _groups;
    private readonly long _rows;
    private readonly short[] _definitionLevels = new short[BatchRows];
    private readonly short[] _repetitionLevels = new short[BatchRows];
    private readonly ByteArray[] _values = new ByteArray[BatchRows];
    private RowGroupReader? _group;
    private ColumnReader<ByteArray>? _pages;
    private int _nextGroup;
    private long _rowsRead;
    private long _nextValue;
    private long _valueCount;

    public ParquetDocumentReader(string path, DocumentSourceOptions options)
    {
        (_path, _options) = (path, options);
        RegularFile.Require(path);
        // Parquet's own message about a file that may not be read or is gone would be about Parquet.
        using (var file = RegularFile.Open(path))
            _bytes = file.Length;
        using var properties = ReaderProperties.GetDefaultReaderProperties();
        properties.EnableBufferedStream();
        properties.EnablePageChecksumVerification();
        _file = Checked(() => new ParquetFileReader(path, properties));
        try
        {
            _column = Checked(FindColumn);
            (_groups, _rows) = Checked(() => (_file.FileMetaData.NumRowGroups, _file.FileMetaData.NumRows));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override string Location => $"row {_rowsRead}";

    public override long Position => (long)(_bytes * Math.Clamp((double)_rowsRead / Math.Max(1, _rows), 0, 1));

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        text = default;
        while (_nextValue == _valueCount)
        {
            if (!Checked(TryReadBatch))
                return false;
        }

        text = Copy(_values[_nextValue++]);
        return true;
    }

    public override void Dispose()
    {
        _pages?.Dispose();
        _group?.Dispose();
        _file.Dispose();
    }

    /// <returns>False at the end of the file.</returns>
    private bool TryReadBatch()
    {
        while (_pages is not { HasNext: true })
        {
            _pages?.Dispose();
            _group?.Dispose();
            (_pages, _group) = (null, null);
            if (_nextGroup == _groups)
                return false;
            _group = _file.RowGroup(_nextGroup++);
            var pages = _group.Column(_column);
            _pages = pages as ColumnReader<ByteArray> ??
                throw new InvalidDataException($"its row group {_nextGroup} has a column of another type");
        }

        // The values point into a page that lasts until the next batch.
        _rowsRead += _pages.ReadBatch(BatchRows, _definitionLevels, _repetitionLevels, _values, out _valueCount);
        _nextValue = 0;
        return true;
    }

    private unsafe byte[] Copy(ByteArray value)
    {
        if (value.Length > _options.MaxDocumentBytes)
            throw _options.TooLarge(_path, $"near {Location}");
        return new ReadOnlySpan<byte>((void*)value.Pointer, value.Length).ToArray();
    }

    private int FindColumn()
    {
        var schema = _file.FileMetaData.Schema;
        var names = Enumerable.Range(0, schema.NumColumns).Select(index => schema.Column(index).Path.ToDotString())
            .ToList();
        var index = names.IndexOf(_options.TextColumn);
        if (index < 0)
        {
            throw new InvalidInputException(
                $"'{_path}' has no column \"{_options.TextColumn}\"; name one of "
                    + $"{string.Join(", ", names.Take(20).Select(name => Printable.Excerpt(name)))}"
                + $"{(names.Count > 20 ? ", …" : "")}.");
        }

        var column = schema.Column(index);
        using var logicalType = column.LogicalType;
        var isText = column.PhysicalType == PhysicalType.ByteArray && column.MaxRepetitionLevel == 0
            && logicalType.Type is LogicalTypeEnum.None or LogicalTypeEnum.Nil
                or LogicalTypeEnum.String or LogicalTypeEnum.Json or LogicalTypeEnum.Enum;
        return isText ? index : throw new InvalidInputException(
            $"'{_path}' has a column \"{_options.TextColumn}\" of type {column.PhysicalType} ({logicalType.Type}"
            + $"{(column.MaxRepetitionLevel > 0 ? ", in lists" : "")}), which is neither a string nor bytes; "
            + "name the column that holds the text.");
    }

    /// <summary>What goes wrong in reading Parquet is the file's fault, whatever exception it comes as.</summary>
    private T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is not InvalidInputException and not OutOfMemoryException)
        {
            throw new InvalidInputException(
                $"'{_path}' is no valid Parquet file, or damaged{(_rowsRead > 0 ? $" after {Location}" : "")} "
                    + $"({Reason(exception)}); "
                + "get the file again or leave it out.", exception);
        }
    }

    private static string Reason(Exception exception)
    {
        var text = exception.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.');
        // Native errors come as "class Name (message: '…')".
        var start = text.IndexOf("(message: '", StringComparison.Ordinal);
        if (start >= 0)
            text = text[(start + "(message: '".Length)..].TrimEnd(')').TrimEnd('\'').TrimEnd('.');
        return text.Length > 200 ? text[..200] + "…" : text;
    }
}
