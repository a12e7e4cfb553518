using System.Runtime.InteropServices;

namespace AnTransformer.Export.Onnx;

/// <summary>
/// A graph that is being built: operators in the order in which they run, constants, inputs and outputs.
/// </summary>
internal sealed class OnnxGraph
{
    private readonly List<OnnxNode> _nodes = [];
    private readonly List<OnnxTensor> _tensors = [];
    private readonly Dictionary<string, int> _used = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _constants = new(StringComparer.Ordinal);

    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    public IReadOnlyList<OnnxTensor> Tensors => _tensors;

    public List<OnnxValue> Inputs { get; } = [];

    public List<OnnxValue> Outputs { get; } = [];

    /// <summary>
    /// Names of values that are made from here on begin with it, so that tools show what belongs together.
    /// </summary>
    public string Prefix { get; set; } = "";

    /// <summary>Adds an operator with one output.</summary>
    /// <returns>The output's name.</returns>
    public string Add(string op, params ReadOnlySpan<string> inputs) => Add(op, inputs.ToArray(), []);

    /// <summary>Adds an operator with one output and attributes.</summary>
    /// <returns>The output's name.</returns>
    public string Add(
        string op, IReadOnlyList<string> inputs, params IReadOnlyList<(string Name, object Value)> attributes)
    {
        var output = Unique(Prefix + op);
        AddNamed(op, inputs, [output], attributes);
        return output;
    }

    /// <summary>Adds an operator with outputs of given names.</summary>
    public void AddNamed(
        string op,
        IReadOnlyList<string> inputs,
        IReadOnlyList<string> outputs,
        params IReadOnlyList<(string Name, object Value)> attributes)
        => _nodes.Add(new OnnxNode(op, inputs, outputs, attributes));

    /// <summary>Adds a constant.</summary>
    /// <returns>Its name.</returns>
    public string Add(OnnxTensor tensor)
    {
        _tensors.Add(tensor);
        return tensor.Name;
    }

    /// <summary>A small constant of integers, made once for equal ones.</summary>
    /// <param name="isScalar">Whether it is a scalar rather than a list.</param>
    /// <param name="values">The numbers.</param>
    public string Integers(bool isScalar, params long[] values)
    {
        var key = $"{(isScalar ? "scalar" : "list")}_{string.Join('_', values)}".Replace('-', 'm');
        if (_constants.TryGetValue(key, out var known))
            return known;
        var name = Unique("const." + key);
        Add(new OnnxTensor(
            name,
            OnnxType.Int64,
            isScalar ? [] : [values.Length],
            stream => stream.Write(MemoryMarshal.AsBytes(values.AsSpan()))));
        return _constants[key] = name;
    }

    /// <summary>A constant of single-precision numbers.</summary>
    /// <param name="name">Its name, made unique.</param>
    /// <param name="shape">Dimensions.</param>
    /// <param name="values">The numbers; each must be finite in single precision.</param>
    /// <exception cref="InvalidInputException">One is not.</exception>
    public string Floats(string name, IReadOnlyList<long> shape, IReadOnlyList<double> values)
    {
        var singles = new float[values.Count];
        for (var i = 0; i < singles.Length; i++)
        {
            singles[i] = (float)values[i];
            if (!float.IsFinite(singles[i]))
                throw new InvalidInputException(
                    $"'{name}' holds {values[i]:g4}, more than f32 can; this model cannot be exported.");
        }

        return Add(new OnnxTensor(
            Unique(name), OnnxType.Float, shape, stream => stream.Write(MemoryMarshal.AsBytes(singles.AsSpan()))));
    }

    /// <summary>A name that no value has yet.</summary>
    public string Unique(string name)
    {
        var count = _used[name] = _used.GetValueOrDefault(name) + 1;
        return count == 1 ? name : FormattableString.Invariant($"{name}.{count}");
    }
}
