namespace AnTransformer.Export.Onnx;

/// <summary>A constant of a graph, whose bytes are made when they are written.</summary>
/// <param name="Name">Unique among the graph's values.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions, row-major; empty for a scalar.</param>
/// <param name="Write">Writes all elements, little-endian.</param>
internal sealed record OnnxTensor(string Name, OnnxType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>How many bytes <see cref="Write"/> writes.</summary>
    public long ByteCount => Shape.Aggregate(Type switch
    {
        OnnxType.Int64 => 8L,
        OnnxType.Float => 4,
        OnnxType.Float16 => 2,
        _ => 1,
    }, (size, dimension) => checked(size * dimension));
}
