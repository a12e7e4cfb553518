using AnTransformer.Checkpoints;

namespace AnTransformer.Export.Safetensors;

/// <summary>Writes a safetensors file of scaled matrices and vectors, as a stream.</summary>
internal static class TensorFile
{
    /// <summary>Writes a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">The matrices' numbers.</param>
    /// <param name="tensors">What to write, in order.</param>
    /// <param name="dtype">The type of all of them.</param>
    /// <exception cref="InvalidInputException">A number is too large for the type.</exception>
    public static void Write(string path, MatrixRows rows, IReadOnlyList<TensorSource> tensors, ExportDtype dtype)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        var type = dtype.ToSafetensors();
        var writer = new SafetensorsWriter(stream, tensors.Select(tensor => (tensor.Name, type, tensor.Shape)));
        var size = SafetensorsEntry.SizeOf(type);
        var bytes = Array.Empty<byte>();
        foreach (var tensor in tensors)
        {
            if (tensor.Matrix is { } matrix)
                rows.ForEach(matrix, (_, values, count) => Put(tensor.Name, values.AsSpan(0, count * matrix.Columns)));
            else
                Put(tensor.Name, tensor.Vector);
        }

        writer.Complete();

        void Put(string name, ReadOnlySpan<double> values)
        {
            if (bytes.Length < size * values.Length)
                bytes = new byte[size * values.Length];
            ElementWriter.Convert(dtype, values, bytes, name);
            writer.Write(name, bytes.AsSpan(0, size * values.Length));
        }
    }
}
