using AnTransformer.Configuration;
using AnTransformer.Graphs;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// A model's computation in ONNX's operators, with the inputs and outputs that Hugging Face's optimum gave decoders,
/// and that ONNX Runtime GenAI and transformers.js expect: <c>input_ids</c>, <c>attention_mask</c> and
/// <c>position_ids</c>, keys and values of earlier tokens as <c>past_key_values.N.key</c> and <c>.value</c> [B, K, P,
/// d_h]; <c>logits</c> [B, T, V], and all keys and values as <c>present.N.key</c> and <c>.value</c> [B, K, P + T, d_h].
/// </summary>
/// <remarks>
/// Batch, T and P are free. In <c>attention_mask</c> [B, P + T] zeros are padding. Which token sees which is one
/// explicit mask, made of it and of places, so that it holds for any P; padding sees itself, or its softmax would be
/// over nothing.
/// </remarks>
internal sealed class OnnxDecoder
{
    private const string Batch = "batch_size";
    private const string Length = "sequence_length";
    private const string Past = "past_sequence_length";
    private const string Total = "total_sequence_length";

    private readonly OnnxGraph _onnx = new();
    private readonly DecoderGraph _graph;
    private readonly OnnxMatrices _matrices;
    private readonly bool _isHalf;
    private readonly AttentionShape _shape;

    private OnnxDecoder(DecoderGraph graph, MatrixRows matrices, ExportDtype dtype)
    {
        _graph = graph;
        _matrices = new OnnxMatrices(matrices, dtype);
        _isHalf = dtype == ExportDtype.F16;
        _shape = graph.Config.Attention;
    }

    /// <summary>Describes a model.</summary>
    /// <param name="graph">What it computes.</param>
    /// <param name="matrices">Reads its matrices, when the graph is written.</param>
    /// <param name="dtype">
    /// F32, or F16 for matrices that are stored in half precision and widened when they are loaded.
    /// </param>
    public static OnnxGraph Build(DecoderGraph graph, MatrixRows matrices, ExportDtype dtype)
    {
        var decoder = new OnnxDecoder(graph, matrices, dtype);
        decoder.Build();
        return decoder._onnx;
    }

    private bool IsTied => _graph.Head.Tensor == _graph.Embedding.Tensor;

    private void Build()
    {
        _onnx.Inputs.Add(new OnnxValue("input_ids", OnnxType.Int64, [Batch, Length]));
        _onnx.Inputs.Add(new OnnxValue("attention_mask", OnnxType.Int64, [Batch, _shape.Causal ? Total : Length]));
        _onnx.Inputs.Add(new OnnxValue("position_ids", OnnxType.Int64, [Batch, Length]));
        _onnx.Outputs.Add(new OnnxValue("logits", OnnxType.Float, [Batch, Length, (long)_graph.Config.VocabSize]));

        var mask = Mask();
        var (cos, sin) = Rotations();
        var h = Embedding();
        for (var layer = 0; layer < _graph.Blocks.Count; layer++)
        {
            var (attention, mlp) = _graph.Blocks[layer];
            _onnx.Prefix = FormattableString.Invariant($"layers.{layer}.attention.");
            h = Attention(attention, h, layer, mask, cos, sin);
            _onnx.Prefix = FormattableString.Invariant($"layers.{layer}.mlp.");
            h = Mlp(mlp, h);
        }

        _onnx.Prefix = "head.";
        Head(Apply(_graph.HeadInput, h));
    }

    /// <summary>[B, 1, T, P + T], true where a token is seen.</summary>
    private string Mask()
    {
        _onnx.Prefix = "mask.";
        var (zero, one) = (_onnx.Integers(isScalar: true, 0), _onnx.Integers(isScalar: true, 1));
        var total = _onnx.Add("Squeeze", _onnx.Add("Shape", ["attention_mask"], ("start", 1L), ("end", 2L)));
        var count = _onnx.Add("Squeeze", _onnx.Add("Shape", ["input_ids"], ("start", 1L), ("end", 2L)));
        var seen = _onnx.Add("Range", zero, total, one);
        var seeing = _onnx.Add(
            "Unsqueeze",
            _onnx.Add("Range", _onnx.Add("Sub", total, count), total, one),
            _onnx.Integers(isScalar: false, 1));
        var mask = _onnx.Add(
            "Cast",
            [_onnx.Add("Unsqueeze", "attention_mask", _onnx.Integers(isScalar: false, 1, 2))],
            ("to", (long)OnnxType.Bool));
        if (_shape.Causal)
            mask = _onnx.Add("And", mask, _onnx.Add("LessOrEqual", seen, seeing));
        if (_shape.Window is { } window)
        {
            var before = _onnx.Add("Sub", seeing, _onnx.Integers(isScalar: true, window));
            mask = _onnx.Add("And", mask, _onnx.Add("Greater", seen, before));
        }

        return _onnx.Add("Or", mask, _onnx.Add("Equal", seen, seeing));
    }

    /// <summary>
    /// Cosines and sines of the tokens' positions, [B, T, d_h/2] each: taken from the tables once for all blocks. (The
    /// operator takes them itself, but ONNX Runtime's wants no more tokens in a row than the tables have positions, and
    /// padding has none.)
    /// </summary>
    private (string Cos, string Sin) Rotations()
    {
        _onnx.Prefix = "rotary.";
        var half = _shape.HeadSize / 2;
        long[] shape = [_graph.Config.MaxPositionEmbeddings, half];
        return (Of("cos", Math.Cos), Of("sin", Math.Sin));

        string Of(string name, Func<double, double> function)
            => _onnx.Add("Gather", Table(name, function), "position_ids");

        string Table(string name, Func<double, double> function)
            => _onnx.Add(new OnnxTensor("rotary." + name, OnnxType.Float, shape, stream => Write(stream, function)));

        void Write(Stream stream, Func<double, double> function)
        {
            var row = new byte[sizeof(float) * half];
            for (var position = 0L; position < shape[0]; position++)
            {
                for (var i = 0; i < half; i++)
                {
                    var angle = position * Math.Pow(_graph.Config.RopeTheta, -(double)i / half);
                    BitConverter.TryWriteBytes(row.AsSpan(sizeof(float) * i), (float)function(angle));
                }

                stream.Write(row);
            }
        }
    }

    private string Embedding()
    {
        _onnx.Prefix = "embedding.";
        var embedding = _graph.Embedding;
        if (!IsTied)
            return Widen(_onnx.Add("Gather", Constant(_matrices.AsIs(embedding)), "input_ids"));
        // One constant for both: what scales either is applied to the numbers that come and go.
        var h = Widen(_onnx.Add("Gather", Constant(_matrices.AsIs(Plain(embedding))), "input_ids"));
        if (embedding.RowScales is { } rows)
        {
            var scales = _onnx.Floats("embedding.row_scales", [rows.Length, 1], rows);
            h = _onnx.Add("Mul", h, _onnx.Add("Gather", scales, "input_ids"));
        }

        return Scale(h, "embedding.scale", embedding.Factor, embedding.ColumnScales);
    }

    private void Head(string h)
    {
        var head = _graph.Head;
        if (!IsTied)
        {
            _onnx.AddNamed("MatMul", [h, Widen(Constant(_matrices.Transposed(head)))], ["logits"]);
            return;
        }

        h = Scale(h, "head.input_scale", 1, head.ColumnScales);
        h = _onnx.Add("Reshape", h, _onnx.Integers(isScalar: false, -1, head.Columns));
        h = _onnx.Add("Gemm", [h, Widen(Constant(_matrices.AsIs(Plain(head))))], ("transB", 1L));
        h = Scale(h, "head.scale", head.Factor, head.RowScales);
        var tokens = _onnx.Add("Shape", "input_ids");
        var shape = _onnx.Add("Concat", [tokens, _onnx.Integers(isScalar: false, head.Rows)], ("axis", 0L));
        _onnx.AddNamed("Reshape", [h, shape], ["logits"]);
    }

    private string Attention(AttentionGraph attention, string h, int layer, string mask, string cos, string sin)
    {
        var x = Apply(attention.Input, h);
        var query = QueryKey(attention.QueryKey, x, attention.Query, _shape.Heads, isQuery: true, cos, sin);
        var key = QueryKey(attention.QueryKey, x, attention.Key, _shape.KeyValueHeads, isQuery: false, cos, sin);
        var value = Heads(Multiply(x, attention.Value), _shape.KeyValueHeads);
        var (past, present) = ($"past_key_values.{layer}.", $"present.{layer}.");
        List<string> inputs = [query, key, value, mask];
        List<string> outputs = [_onnx.Unique(_onnx.Prefix + "Attention")];
        if (_shape.Causal)
        {
            foreach (var kind in (string[])["key", "value"])
            {
                _onnx.Inputs.Add(new OnnxValue(
                    past + kind, OnnxType.Float, [Batch, (long)_shape.KeyValueHeads, Past, (long)_shape.HeadSize]));
                _onnx.Outputs.Add(new OnnxValue(
                    present + kind, OnnxType.Float, [Batch, (long)_shape.KeyValueHeads, Total, (long)_shape.HeadSize]));
                inputs.Add(past + kind);
                outputs.Add(present + kind);
            }
        }

        _onnx.AddNamed("Attention", inputs, outputs, ("scale", attention.SoftmaxScale));
        var concatenated = _onnx.Add(
            "Reshape",
            _onnx.Add("Transpose", [outputs[0]], ("perm", (long[])[0, 2, 1, 3])),
            _onnx.Integers(isScalar: false, 0, 0, _shape.QueryWidth));
        return Join(attention.Update, h, concatenated, attention.Output);
    }

    private string Mlp(MlpGraph mlp, string h)
    {
        var x = Apply(mlp.Input, h);
        var gate = Multiply(x, mlp.Gate);
        var product = _onnx.Add("Mul", _onnx.Add("Mul", gate, _onnx.Add("Sigmoid", gate)), Multiply(x, mlp.Up));
        return Join(mlp.Update, h, product, mlp.Down);
    }

    private string QueryKey(
        QueryKeyFunction function, string x, ScaledMatrix matrix, int heads, bool isQuery, string cos, string sin)
    {
        var projected = Multiply(x, matrix);
        if (function is RmsQueryKey rms)
        {
            var split = Split(projected, heads);
            var gain = Channels(
                _onnx.Prefix + (isQuery ? "q_norm" : "k_norm"), isQuery ? rms.QueryGain : rms.KeyGain);
            return Rotate(Transpose(RmsNorm(split, gain, rms.Epsilon)));
        }

        var rotated = Rotate(Heads(projected, heads));
        switch (function)
        {
            case RotaryOnly:
                return rotated;
            case UnitQueryKey unit:
                if (unit.Normalize)
                    rotated = Normalize(rotated);
                if (unit.Scales is not { } scales)
                    return rotated;
                // A head of queries has the scales of the keys that it meets.
                var group = heads / _shape.KeyValueHeads;
                var spread = Enumerable.Range(0, heads * _shape.HeadSize)
                    .Select(i => scales[(i / _shape.HeadSize / group * _shape.HeadSize) + (i % _shape.HeadSize)])
                    .ToArray();
                return _onnx.Add("Mul", rotated, _onnx.Floats(
                    _onnx.Prefix + (isQuery ? "q_scale" : "k_scale"), [heads, 1, _shape.HeadSize], spread));
            default:
                throw new NotSupportedException($"{function.GetType().Name} has no ONNX operators here.");
        }

        string Rotate(string value) => _onnx.Add("RotaryEmbedding", value, cos, sin);
    }

    private string Apply(InputFunction function, string x)
    {
        var name = _onnx.Prefix + "input.";
        switch (function)
        {
            case IdentityFunction:
                return x;
            case RmsNormFunction norm:
                return RmsNorm(x, Channels(name + "gain", norm.Gain), norm.Epsilon);
            case TanhFunction tanh:
                return Affine(_onnx.Add("Tanh", Scale(x, name + "slope", tanh.Slope, null)), tanh.Gain, tanh.Bias);
            case ErfFunction erf:
                var shift = _onnx.Floats(name + "shift", [], [erf.Shift]);
                var shifted = _onnx.Add("Add", Scale(x, name + "slope", erf.Slope, null), shift);
                return Affine(_onnx.Add("Erf", shifted), erf.Gain, erf.Bias);
            default:
                throw new NotSupportedException($"{function.GetType().Name} has no ONNX operators here.");
        }

        string Affine(string value, double[] gain, double[] bias)
            => _onnx.Add("Add", _onnx.Add("Mul", value, Channels(name + "gain", gain)), Channels(name + "bias", bias));
    }

    /// <summary>Multiplies a block's result with its output matrix, and joins it with the stream.</summary>
    private string Join(ResidualUpdate update, string h, string result, ScaledMatrix output)
    {
        var name = _onnx.Prefix + "update.";
        switch (update)
        {
            case ResidualSum:
                return _onnx.Add("Add", h, Multiply(result, output));
            case NormalizedResidualSum normalized:
                return _onnx.Add("Add", h, RmsNorm(
                    Multiply(result, output), Channels(name + "gain", normalized.Norm.Gain), normalized.Norm.Epsilon));
            case Interpolation interpolation:
                // The share is a factor of the matrix's rows.
                var scales = output.RowScales is { } rows
                    ? [.. rows.Zip(interpolation.Share, (row, share) => row * share)]
                    : interpolation.Share;
                return _onnx.Add(
                    "Add",
                    _onnx.Add("Mul", h, Channels(name + "keep", interpolation.Keep)),
                    Multiply(result, output with { RowScales = scales }));
            case SphereUpdate sphere:
                var moved = _onnx.Add(
                    "Mul", Normalize(Multiply(result, output)), Channels(name + "alpha", sphere.Alpha));
                var kept = _onnx.Add("Mul", h, Channels(name + "keep", [.. sphere.Alpha.Select(alpha => 1 - alpha)]));
                return Normalize(_onnx.Add("Add", kept, moved));
            default:
                throw new NotSupportedException($"{update.GetType().Name} has no ONNX operators here.");
        }
    }

    private string Multiply(string x, ScaledMatrix matrix)
        => _onnx.Add("MatMul", x, Widen(Constant(_matrices.Transposed(matrix))));

    private string RmsNorm(string x, string gain, double epsilon)
        => _onnx.Add("RMSNormalization", [x, gain], ("axis", -1L), ("epsilon", epsilon));

    private string Normalize(string x) => _onnx.Add("LpNormalization", [x], ("axis", -1L), ("p", 2L));

    /// <summary>[B, T, n·d_h] as [B, T, n, d_h].</summary>
    private string Split(string x, int heads)
        => _onnx.Add("Reshape", x, _onnx.Integers(isScalar: false, 0, 0, heads, _shape.HeadSize));

    /// <summary>[B, T, n, d_h] as [B, n, T, d_h].</summary>
    private string Transpose(string x) => _onnx.Add("Transpose", [x], ("perm", (long[])[0, 2, 1, 3]));

    private string Heads(string x, int heads) => Transpose(Split(x, heads));

    private string Channels(string name, double[] values) => _onnx.Floats(name, [values.Length], values);

    private string Scale(string x, string name, double factor, double[]? channels)
    {
        if (channels is not null)
            return _onnx.Add("Mul", x, Channels(name, [.. channels.Select(channel => factor * channel)]));
        return factor == 1 ? x : _onnx.Add("Mul", x, _onnx.Floats(name, [], [factor]));
    }

    /// <summary>Adds a matrix, once.</summary>
    private string Constant(OnnxTensor tensor)
    {
        if (_onnx.Tensors.All(known => known.Name != tensor.Name))
            _onnx.Add(tensor);
        return tensor.Name;
    }

    private string Widen(string x) => _isHalf ? _onnx.Add("Cast", [x], ("to", (long)OnnxType.Float)) : x;

    private static ScaledMatrix Plain(ScaledMatrix matrix) => new(matrix.Tensor, matrix.Rows, matrix.Columns);
}
