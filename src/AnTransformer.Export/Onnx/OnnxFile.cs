using Google.Protobuf;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// Writes a graph as a <c>ModelProto</c>, the protocol buffer that <c>onnx.proto</c> of the ONNX project describes.
/// </summary>
/// <remarks>
/// Written by hand, in the terms of <see cref="CodedOutputStream"/>: the classes that a generator makes hold every
/// tensor in memory, and once more as bytes while they are written. Here tensors go from their source to the file, and
/// only what is small is put together in memory. Numbers of fields are the proto's.
/// </remarks>
internal static class OnnxFile
{
    /// <summary>Of the file's format: the one that came with operator set 23.</summary>
    public const int IrVersion = 11;

    /// <summary>The set with RMSNormalization, RotaryEmbedding and Attention.</summary>
    public const int OperatorSet = 23;

    /// <summary>Largest sum of tensors that stay in the file: a protocol buffer has less than 2 GiB.</summary>
    public const long LargestInline = 1_900_000_000;

    // Mapped files begin at pages.
    private const int Alignment = 4096;

    // What is smaller stays with the graph, where checks of shapes need it.
    private const int SmallestExternal = 1024;

    /// <summary>
    /// Writes <c>model.onnx</c>, and beside it <c>model.onnx_data</c> where the tensors are too many for one file.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="largestInline">Bytes of tensors up to which there is one file only.</param>
    /// <returns>Whether there are two files.</returns>
    public static bool Write(string path, OnnxGraph graph, long largestInline = LargestInline)
    {
        var isExternal = graph.Tensors.Sum(tensor => tensor.ByteCount) > largestInline;
        var offsets = new Dictionary<OnnxTensor, long>();
        if (isExternal)
        {
            using var data = File.Create(path + "_data");
            foreach (var tensor in graph.Tensors.Where(tensor => tensor.ByteCount >= SmallestExternal))
            {
                data.Position = (data.Position + Alignment - 1) / Alignment * Alignment;
                offsets.Add(tensor, data.Position);
                WriteBytes(data, tensor);
            }
        }

        // Messages are preceded by their length, so the parts around the tensors' bytes come first.
        var parts = new List<(byte[] Head, OnnxTensor? Tensor)> { (GraphBeforeTensors(graph), null) };
        foreach (var tensor in graph.Tensors)
        {
            long? place = offsets.TryGetValue(tensor, out var offset) ? offset : null;
            parts.Add(TensorField(tensor, place, Path.GetFileName(path) + "_data"));
        }

        parts.Add((GraphAfterTensors(graph), null));
        var length = parts.Sum(part => part.Head.Length + (part.Tensor?.ByteCount ?? 0));

        using var file = File.Create(path);
        file.Write(Message(model =>
        {
            model.WriteTag(1, WireFormat.WireType.Varint);
            model.WriteInt64(IrVersion);
            Text(model, 2, "AnTransformer");
            Nested(model, 8, set =>
            {
                Text(set, 1, "");
                set.WriteTag(2, WireFormat.WireType.Varint);
                set.WriteInt64(OperatorSet);
            });
            model.WriteTag(7, WireFormat.WireType.LengthDelimited);
            model.WriteUInt64((ulong)length);
        }));
        foreach (var (head, tensor) in parts)
        {
            file.Write(head);
            if (tensor is not null)
                WriteBytes(file, tensor);
        }

        return isExternal;
    }

    private static void WriteBytes(FileStream file, OnnxTensor tensor)
    {
        var start = file.Position;
        tensor.Write(file);
        if (file.Position - start != tensor.ByteCount)
        {
            throw new InvalidOperationException(
                $"Tensor '{tensor.Name}' has {tensor.ByteCount} bytes, and {file.Position - start} were written.");
        }
    }

    private static byte[] GraphBeforeTensors(OnnxGraph graph) => Message(message =>
    {
        foreach (var node in graph.Nodes)
            Nested(message, 1, field => Node(field, node));
        Text(message, 2, "decoder");
    });

    private static byte[] GraphAfterTensors(OnnxGraph graph) => Message(message =>
    {
        foreach (var value in graph.Inputs)
            Nested(message, 11, field => Value(field, value));
        foreach (var value in graph.Outputs)
            Nested(message, 12, field => Value(field, value));
    });

    /// <summary>The field of a tensor in the graph, up to the bytes of its elements where these follow.</summary>
    private static (byte[] Head, OnnxTensor? Tensor) TensorField(OnnxTensor tensor, long? offset, string dataFile)
    {
        var head = Message(message =>
        {
            foreach (var dimension in tensor.Shape)
            {
                message.WriteTag(1, WireFormat.WireType.Varint);
                message.WriteInt64(dimension);
            }

            message.WriteTag(2, WireFormat.WireType.Varint);
            message.WriteInt32((int)tensor.Type);
            Text(message, 8, tensor.Name);
            if (offset is null)
            {
                message.WriteTag(9, WireFormat.WireType.LengthDelimited);
                message.WriteUInt64((ulong)tensor.ByteCount);
                return;
            }

            foreach (var (key, text) in new[]
            {
                ("location", dataFile),
                ("offset", FormattableString.Invariant($"{offset}")),
                ("length", FormattableString.Invariant($"{tensor.ByteCount}")),
            })
            {
                Nested(message, 13, entry =>
                {
                    Text(entry, 1, key);
                    Text(entry, 2, text);
                });
            }

            message.WriteTag(14, WireFormat.WireType.Varint);
            message.WriteEnum(1);
        });
        var length = head.Length + (offset is null ? tensor.ByteCount : 0);
        var start = Message(message =>
        {
            message.WriteTag(5, WireFormat.WireType.LengthDelimited);
            message.WriteUInt64((ulong)length);
        });
        return ([.. start, .. head], offset is null ? tensor : null);
    }

    private static void Node(CodedOutputStream message, OnnxNode node)
    {
        foreach (var input in node.Inputs)
            Text(message, 1, input);
        foreach (var output in node.Outputs)
            Text(message, 2, output);
        Text(message, 3, node.Outputs[0]);
        Text(message, 4, node.Operator);
        foreach (var (name, value) in node.Attributes)
            Nested(message, 5, field => Attribute(field, name, value));
    }

    private static void Attribute(CodedOutputStream message, string name, object value)
    {
        Text(message, 1, name);
        var type = value switch
        {
            double number => Float(message, number),
            long number => Integer(message, 3, number, type: 2),
            long[] numbers => numbers.Aggregate(7, (_, number) => Integer(message, 8, number, type: 7)),
            _ => throw new ArgumentException($"Attribute '{name}' is {value.GetType().Name}.", nameof(value)),
        };
        message.WriteTag(20, WireFormat.WireType.Varint);
        message.WriteEnum(type);
    }

    private static int Float(CodedOutputStream message, double number)
    {
        message.WriteTag(2, WireFormat.WireType.Fixed32);
        message.WriteFloat((float)number);
        return 1;
    }

    private static int Integer(CodedOutputStream message, int field, long number, int type)
    {
        message.WriteTag(field, WireFormat.WireType.Varint);
        message.WriteInt64(number);
        return type;
    }

    private static void Value(CodedOutputStream message, OnnxValue value)
    {
        Text(message, 1, value.Name);
        Nested(message, 2, type => Nested(type, 1, tensor =>
        {
            tensor.WriteTag(1, WireFormat.WireType.Varint);
            tensor.WriteInt32((int)value.Type);
            Nested(tensor, 2, shape =>
            {
                foreach (var dimension in value.Shape)
                {
                    Nested(shape, 1, field =>
                    {
                        if (dimension is string name)
                            Text(field, 2, name);
                        else
                            _ = Integer(field, 1, (long)dimension, type: 0);
                    });
                }
            });
        }));
    }

    private static void Text(CodedOutputStream message, int field, string text)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteString(text);
    }

    private static void Nested(CodedOutputStream message, int field, Action<CodedOutputStream> write)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteBytes(UnsafeByteOperations.UnsafeWrap(Message(write)));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var buffer = new MemoryStream();
        using (var message = new CodedOutputStream(buffer, leaveOpen: true))
            write(message);
        return buffer.ToArray();
    }
}
