using AnTransformer.Checkpoints;
using AnTransformer.Graphs;

namespace AnTransformer.Inference.Weights;

/// <summary>Brings a checkpoint's matrices to the form in which they are multiplied; tied ones once.</summary>
/// <param name="file">The mapped weights.</param>
/// <param name="options">What they become.</param>
internal sealed unsafe class WeightLoader(SafetensorsFile file, InferenceOptions options)
{
    private readonly Dictionary<string, (WeightDtype Dtype, nint Data, nint Scales)> _loaded = new(
        StringComparer.Ordinal);

    /// <summary>Memory that holds what could not be left in the file.</summary>
    public WeightArena Arena { get; } = new();

    /// <summary>A matrix, packed or in its file's mapping.</summary>
    /// <param name="matrix">Which one.</param>
    /// <exception cref="InvalidInputException">Its numbers exceed what the dtype holds.</exception>
    public PackedMatrix Load(ScaledMatrix matrix)
    {
        if (!_loaded.TryGetValue(matrix.Tensor, out var place))
            _loaded[matrix.Tensor] = place = Pack(matrix);
        return new PackedMatrix(matrix, place.Dtype, (byte*)place.Data, (ushort*)place.Scales);
    }

    /// <summary>Where a tensor lies in the file's mapping.</summary>
    /// <param name="name">The tensor.</param>
    public byte* Mapped(string name)
    {
        using var stream = (UnmanagedMemoryStream)file.OpenStream(name);
        return stream.PositionPointer;
    }

    private (WeightDtype Dtype, nint Data, nint Scales) Pack(ScaledMatrix matrix)
    {
        var stored = file[matrix.Tensor].Dtype;
        var target = options.Dtype == WeightDtype.Q8 && matrix.Columns % BlockQuantization.Block != 0
            ? WeightDtype.BF16
            : options.Dtype;
        var isAsStored = (stored, target) is
            (SafetensorsDtype.F32, WeightDtype.F32) or (SafetensorsDtype.BF16, WeightDtype.BF16);
        if (isAsStored && options.IsMapped)
            return (target, (nint)Mapped(matrix.Tensor), 0);
        var packed = Arena.Take(matrix.Rows * PackedMatrix.BytesOfRow(target, matrix.Columns));
        var scales = packed + ((long)matrix.Rows * matrix.Columns);
        var overflows = 0;
        var source = Mapped(matrix.Tensor);
        var (rows, columns) = (matrix.Rows, matrix.Columns);
        var sourceBytes = (long)columns * SafetensorsEntry.SizeOf(stored);
        if (isAsStored)
        {
            Parallel.For(0, rows, row => Buffer.MemoryCopy(
                source + (row * sourceBytes), packed + (row * sourceBytes), sourceBytes, sourceBytes));
            return (target, (nint)packed, 0);
        }

        Parallel.For(0, rows, () => new float[columns], (row, _, values) =>
        {
            ElementConversion.ToSingle(stored, source + (row * sourceBytes), values);
            switch (target)
            {
                case WeightDtype.F32:
                    values.CopyTo(new Span<float>((float*)packed + ((long)row * columns), columns));
                    break;
                case WeightDtype.BF16:
                    Round(values, (ushort*)packed + ((long)row * columns), ref overflows);
                    break;
                default:
                    var blocks = columns / BlockQuantization.Block;
                    if (!BlockQuantization.Quantize(
                        values, (sbyte*)packed + ((long)row * columns), (Half*)scales + ((long)row * blocks)))
                    {
                        Interlocked.Increment(ref overflows);
                    }

                    break;
            }

            return values;
        }, _ => { });
        if (overflows > 0)
        {
            throw new InvalidInputException(
                $"{file.Path}: numbers of tensor '{matrix.Tensor}' exceed what {target.ToString().ToLowerInvariant()} "
                    + "holds; "
                + "use f32.");
        }

        return (target, (nint)packed, target == WeightDtype.Q8 ? (nint)scales : 0);
    }

    private static void Round(ReadOnlySpan<float> values, ushort* target, ref int overflows)
    {
        for (var i = 0; i < values.Length; i++)
        {
            // To nearest, ties to even.
            var bits = BitConverter.SingleToUInt32Bits(values[i]);
            var rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
            target[i] = (ushort)rounded;
            if ((rounded & 0x7f80) == 0x7f80)
                Interlocked.Increment(ref overflows);
        }
    }
}
