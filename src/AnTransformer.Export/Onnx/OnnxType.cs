namespace AnTransformer.Export.Onnx;

/// <summary>Element types, by their numbers in <c>TensorProto.DataType</c>.</summary>
internal enum OnnxType
{
    Float = 1,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
}
