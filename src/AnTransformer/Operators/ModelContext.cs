using AnTransformer.Operators.Backends;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>Where a model lives and in which precisions it computes.</summary>
/// <param name="Device">CPU or CUDA.</param>
/// <param name="MasterDtype">Dtype of parameters, residual stream and reductions: fp32 (fp64 in parity tests).</param>
/// <param name="ComputeDtype">Dtype of matrix products and attention: the master dtype or bf16.</param>
public sealed record ModelContext(Device Device, ScalarType MasterDtype, ScalarType ComputeDtype)
{
    /// <summary>fp32 on the CPU.</summary>
    public static ModelContext Default { get; } = new(CPU, ScalarType.Float32, ScalarType.Float32);

    /// <summary>
    /// Where the parameters of the model under construction lie; null for parameters with memory of their own.
    /// </summary>
    internal ParameterStore? Store { get; init; }

    private readonly OperatorBackend? _operators;

    /// <summary>
    /// What computes the operators: chosen once for a model, and at each call for a module that is made outside of one.
    /// </summary>
    internal OperatorBackend Operators
    {
        get => _operators ?? OperatorBackend.For(this);
        private init => _operators = value;
    }

    /// <summary>The context of a model's parts: with its parameters' memory, and the backend that it keeps.</summary>
    /// <param name="store">Where the parameters lie.</param>
    internal ModelContext Of(ParameterStore store)
        => this with { Store = store, Operators = OperatorBackend.For(this) };

    /// <summary>A trainable tensor of zeros in the master dtype.</summary>
    /// <param name="shape">Its shape.</param>
    public Parameter Parameter(params long[] shape) => ParameterRows(shape[0], [shape])[0];

    /// <summary>Trainable tensors of zeros in the master dtype whose rows follow each other without a gap.</summary>
    /// <param name="rows">Rows of all together.</param>
    /// <param name="shapes">Shapes that differ in their first dimension only.</param>
    public IReadOnlyList<Parameter> ParameterRows(long rows, IReadOnlyList<long[]> shapes)
    {
        if (Store is not null)
            return Store.AllocateRows(rows, shapes);
        var own = new ParameterStore(
            ParameterStore.CapacityFor(
                rows * shapes[0].Skip(1).Aggregate(1L, (product, size) => product * size), 1), MasterDtype, Device);
        return own.AllocateRows(rows, shapes);
    }

    /// <summary>The tensor in the compute dtype; the same tensor when it already is.</summary>
    /// <param name="tensor">Any shape.</param>
    public Tensor ToCompute(Tensor tensor) => tensor.dtype == ComputeDtype ? tensor : tensor.to(ComputeDtype);

    /// <summary>The tensor in the master dtype; the same tensor when it already is.</summary>
    /// <param name="tensor">Any shape.</param>
    public Tensor ToMaster(Tensor tensor) => tensor.dtype == MasterDtype ? tensor : tensor.to(MasterDtype);
}
