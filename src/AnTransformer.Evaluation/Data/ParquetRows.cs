using System.Text.Json.Nodes;
using ParquetSharp;

namespace AnTransformer.Evaluation.Data;

/// <summary>
/// Rows of a Parquet file as the Hugging Face Hub has them: texts, numbers and lists of those, also within structures.
/// Columns of other kinds are left out.
/// </summary>
internal static class ParquetRows
{
    // What writers call the levels of a list, which are no names of fields.
    private static readonly string[] ListLevels = ["list", "element", "item", "array", "bag"];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It is damaged.</exception>
    public static List<QuestionRow> Read(string path)
    {
        try
        {
            using var file = new ParquetFileReader(path);
            var rows = new List<QuestionRow>();
            for (var group = 0; group < file.FileMetaData.NumRowGroups; group++)
            {
                using var reader = file.RowGroup(group);
                var count = checked((int)reader.MetaData.NumRows);
                var objects = Enumerable.Range(0, count).Select(_ => new JsonObject()).ToArray();
                for (var column = 0; column < file.FileMetaData.Schema.NumColumns; column++)
                    ReadColumn(file.FileMetaData.Schema.Column(column), reader, column, objects);
                rows.AddRange(objects.Select((row, i) => new QuestionRow(row, $"{path}, row {rows.Count + i + 1}")));
            }

            return rows;
        }
        catch (Exception e) when (e is not InvalidInputException and not OutOfMemoryException)
        {
            throw new InvalidInputException($"{path}: is no valid Parquet file, or damaged; get the file again.", e);
        }
    }

    private static void ReadColumn(ColumnDescriptor column, RowGroupReader group, int index, JsonObject[] rows)
    {
        if (column.MaxRepetitionLevel > 1)
            return;
        var names = column.Path.ToDotVector();
        var path = column.MaxRepetitionLevel == 0 ? names : [.. names.Where(name => !ListLevels.Contains(name))];
        using var reader = group.Column(index);
        switch (reader)
        {
            case ColumnReader<ByteArray> texts:
                Fill(texts, column, path, rows, value => JsonValue.Create(Utf8(value)));
                return;
            case ColumnReader<int> numbers:
                Fill(numbers, column, path, rows, value => JsonValue.Create((long)value));
                return;
            case ColumnReader<long> numbers:
                Fill(numbers, column, path, rows, value => JsonValue.Create(value));
                return;
            case ColumnReader<double> numbers:
                Fill(numbers, column, path, rows, value => JsonValue.Create(value));
                return;
        }
    }

    private static unsafe string Utf8(ByteArray value)
        => System.Text.Encoding.UTF8.GetString(new ReadOnlySpan<byte>((void*)value.Pointer, value.Length));

    private static void Fill<T>(
        ColumnReader<T> reader, ColumnDescriptor column, string[] path, JsonObject[] rows, Func<T, JsonValue?> convert)
        where T : unmanaged
    {
        const int batch = 1024;
        var (definitions, repetitions, values) = (new short[batch], new short[batch], new T[batch]);
        var row = -1;
        JsonArray? list = null;
        while (reader.HasNext)
        {
            var levels = reader.ReadBatch(batch, definitions, repetitions, values, out _);
            var next = 0;
            for (var i = 0; i < levels; i++)
            {
                // A column that can be neither null nor a list has no levels.
                var isNew = column.MaxRepetitionLevel == 0 || repetitions[i] == 0;
                if (isNew)
                {
                    row++;
                    list = column.MaxRepetitionLevel > 0 ? [] : null;
                    if (list is not null)
                        Set(rows[row], path, list);
                }

                if (column.MaxDefinitionLevel > 0 && definitions[i] < column.MaxDefinitionLevel)
                    continue;
                var value = convert(values[next++]);
                if (list is not null)
                    list.Add((JsonNode?)value);
                else
                    Set(rows[row], path, value);
            }
        }
    }

    private static void Set(JsonObject row, string[] path, JsonNode? value)
    {
        foreach (var name in path[..^1])
        {
            if (row[name] is not JsonObject inner)
                row[name] = inner = [];
            row = inner;
        }

        row[path[^1]] = value;
    }
}
