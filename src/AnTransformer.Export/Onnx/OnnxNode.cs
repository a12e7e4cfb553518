namespace AnTransformer.Export.Onnx;

/// <summary>An operator of a graph.</summary>
/// <param name="Operator">Its name in the standard's own domain, for example <c>MatMul</c>.</param>
/// <param name="Inputs">Names of values; empty for one that is left out.</param>
/// <param name="Outputs">Names of values.</param>
/// <param name="Attributes">
/// Names and values, each a <see cref="long"/>, a <see cref="double"/> (written in single precision) or an array of
/// <see cref="long"/>.
/// </param>
internal sealed record OnnxNode(
    string Operator,
    IReadOnlyList<string> Inputs,
    IReadOnlyList<string> Outputs,
    IReadOnlyList<(string Name, object Value)> Attributes);

/// <summary>An input or output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">
/// Each dimension as a <see cref="long"/>, or as the name of one that is known at run time only.
/// </param>
internal sealed record OnnxValue(string Name, OnnxType Type, IReadOnlyList<object> Shape);
