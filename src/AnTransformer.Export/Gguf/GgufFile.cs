using AnTransformer.Export.Safetensors;

namespace AnTransformer.Export.Gguf;

/// <summary>
/// Writes a GGUF file, version 3, as a stream: header, pairs, places of the tensors, then their data a few rows at a
/// time.
/// </summary>
internal static class GgufFile
{
    private const uint Version = 3;
    private const int Alignment = 32;

    /// <summary>Writes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="metadata">The pairs.</param>
    /// <param name="tensors">The tensors in order.</param>
    /// <param name="rows">The matrices' numbers.</param>
    /// <param name="dtype">The type of matrices; vectors are F32.</param>
    /// <exception cref="InvalidInputException">
    /// A number is too large for the type, or rows do not fit its blocks.
    /// </exception>
    public static void Write(
        string path, GgufMetadata metadata, IReadOnlyList<GgufTensor> tensors, MatrixRows rows, ExportDtype dtype)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        stream.Write("GGUF"u8);
        GgufMetadata.Write(stream, Version);
        GgufMetadata.Write(stream, (long)tensors.Count);
        GgufMetadata.Write(stream, metadata.Count);
        stream.Write(metadata.Bytes);
        WritePlaces(stream, tensors, dtype);
        Pad(stream);
        foreach (var tensor in tensors)
        {
            if (tensor.Vector is { } vector)
                WriteRow(stream, tensor.Name, vector, ExportDtype.F32, new byte[4 * vector.Length]);
            else
                WriteMatrix(stream, tensor, rows, dtype);
            Pad(stream);
        }

        stream.Flush();
    }

    /// <summary>The number of a type in GGUF.</summary>
    public static GgufType TypeOf(ExportDtype dtype) => dtype switch
    {
        ExportDtype.F32 => GgufType.F32,
        ExportDtype.F16 => GgufType.F16,
        ExportDtype.BF16 => GgufType.BF16,
        ExportDtype.Q8 => GgufType.Q8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "GGUF files are not written with this type."),
    };

    private static void WritePlaces(Stream stream, IReadOnlyList<GgufTensor> tensors, ExportDtype dtype)
    {
        var offset = 0L;
        foreach (var tensor in tensors)
        {
            var type = tensor.Matrix is null ? ExportDtype.F32 : dtype;
            GgufMetadata.Write(stream, tensor.Name);
            GgufMetadata.Write(stream, (uint)tensor.Dimensions.Count);
            foreach (var dimension in tensor.Dimensions)
                GgufMetadata.Write(stream, dimension);
            GgufMetadata.Write(stream, (uint)TypeOf(type));
            GgufMetadata.Write(stream, offset);
            var rows = tensor.Matrix?.Rows ?? 1L;
            offset += RoundUp(rows * RowBytes(type, tensor.Dimensions[0], tensor.Name));
        }
    }

    private static long RowBytes(ExportDtype dtype, long columns, string name) => dtype switch
    {
        ExportDtype.F32 => 4 * columns,
        ExportDtype.F16 or ExportDtype.BF16 => 2 * columns,
        _ when columns % Q8Blocks.Length != 0 => throw new InvalidInputException(
            $"tensor '{name}' has rows of {columns} numbers, and q8_0 stores blocks of {Q8Blocks.Length}; export with "
                + "--dtype f16 or bf16."),
        _ => columns / Q8Blocks.Length * Q8Blocks.Bytes,
    };

    private static void WriteMatrix(FileStream stream, GgufTensor tensor, MatrixRows rows, ExportDtype dtype)
    {
        var matrix = tensor.Matrix!;
        var bytes = new byte[RowBytes(dtype, matrix.Columns, tensor.Name)];
        if (tensor.RowAt is not { } rowAt)
        {
            rows.ForEach(matrix, (_, values, count) =>
            {
                for (var row = 0; row < count; row++)
                    WriteRow(stream, tensor.Name, values.AsSpan(row * matrix.Columns, matrix.Columns), dtype, bytes);
            });
            return;
        }

        var values = new double[matrix.Columns];
        for (var row = 0; row < matrix.Rows; row++)
        {
            rows.Read(matrix, rowAt(row), values);
            WriteRow(stream, tensor.Name, values, dtype, bytes);
        }
    }

    private static void WriteRow(
        FileStream stream, string name, ReadOnlySpan<double> values, ExportDtype dtype, byte[] bytes)
    {
        if (dtype == ExportDtype.Q8)
            Q8Blocks.Convert(values, bytes, name);
        else
            ElementWriter.Convert(dtype, values, bytes, name);
        stream.Write(bytes);
    }

    private static void Pad(FileStream stream)
    {
        for (var rest = RoundUp(stream.Position) - stream.Position; rest > 0; rest--)
            stream.WriteByte(0);
    }

    private static long RoundUp(long size) => (size + Alignment - 1) / Alignment * Alignment;
}
