using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reads a text column of a Parquet file, one row group at a time. Nulls are left out. Strings are read as the bytes that
/// they are stored as, which saves a detour over UTF-16 and keeps those that are not UTF-8.
/// </summary>
internal sealed class ParquetDocumentReader : DocumentReader
{
    private readonly FileStream _file;
    private readonly ParquetReader _reader;
    private readonly DataField _column;
    private RawColumnData<ReadOnlyMemory<byte>>? _values;
    private int _group;
    private int _row;
    private int _rows;

    public ParquetDocumentReader(string path, DocumentSourceOptions options)
    {
        _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            _reader = ParquetReader.CreateAsync(_file).GetAwaiter().GetResult();
            _column = FindColumn(path, options.TextColumn);
        }
        catch
        {
            _reader?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _file.Dispose();
            throw;
        }
    }

    public override string Location => $"row group {_group}";

    public override long Position => _file.Length * _group / Math.Max(1, _reader.RowGroupCount);

    public override bool TryRead(out ReadOnlyMemory<byte> text)
    {
        while (_values is null || _row == _rows)
        {
            _values?.Dispose();
            _values = null;
            if (_group == _reader.RowGroupCount)
            {
                text = default;
                return false;
            }
            using var group = _reader.OpenRowGroupReader(_group++);
            _values = (RawColumnData<ReadOnlyMemory<byte>>)group.ReadRawColumnDataBaseAsync(_column, default).AsTask()
                .GetAwaiter().GetResult();
            _row = 0;
            // What is not null lies at the front; behind it is whatever the pooled memory held before.
            _rows = _column.IsNullable ? _values.DefinitionLevels.Count(1) : _values.Values.Length;
        }
        text = _values.Values[_row++].ToArray();
        return true;
    }

    public override void Dispose()
    {
        _values?.Dispose();
        _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _file.Dispose();
    }

    private DataField FindColumn(string path, string name)
    {
        var field = _reader.Schema.Fields.FirstOrDefault(candidate => candidate.Name == name) ??
            throw new InvalidInputException($"'{path}' has no column \"{name}\"; name one of " +
                $"{string.Join(", ", _reader.Schema.Fields.Take(20).Select(candidate => Printable.Excerpt(candidate.Name)))}.");
        if (field is not DataField { IsArray: false } data || (data.ClrType != typeof(ReadOnlyMemory<char>) &&
            data.ClrType != typeof(ReadOnlyMemory<byte>) && data.ClrType != typeof(string) && data.ClrType != typeof(byte[])))
        {
            throw new InvalidInputException(
                $"'{path}' has a column \"{name}\" of type {Printable.Excerpt(field.ToString())}, which is neither a string nor bytes; " +
                "name the column that holds the text.");
        }
        var bytes = new DataField(name, typeof(ReadOnlyMemory<byte>), data.IsNullable);
        _ = new ParquetSchema(bytes); // Attaching it to a schema gives it its place and levels.
        return bytes;
    }
}
