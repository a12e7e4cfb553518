using AnTransformer.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// All parameters of a model in one flat buffer, in the order they are created, each a view of it; gradients likewise
/// once asked for. Matrices that share their input lie next to each other and are multiplied as one; optimizers and
/// all-reduce see a single array.
/// </summary>
public sealed class ParameterStore
{
    private const long Alignment = 16;      // floats: one cache line
    private readonly List<(Parameter Parameter, long Offset)> _parameters = [];
    private readonly Tensor _values;
    private Tensor? _gradients;

    /// <summary>Creates a store of zeros.</summary>
    /// <param name="capacity">Largest number of elements, see <see cref="CapacityFor"/>.</param>
    /// <param name="dtype">Dtype of the parameters.</param>
    /// <param name="device">Where they live.</param>
    public ParameterStore(long capacity, ScalarType dtype, Device device)
        => _values = Zeros(capacity, dtype, device);

    /// <summary>Elements in use, padding between parameters included.</summary>
    public long Count { get; private set; }

    /// <summary>Parameters with the offsets of their first elements.</summary>
    public IReadOnlyList<(Parameter Parameter, long Offset)> Parameters => _parameters;

    /// <summary>Elements that are enough for parameters in some number of blocks.</summary>
    /// <param name="elements">Elements in all.</param>
    /// <param name="tensors">Number of parameters.</param>
    public static long CapacityFor(long elements, long tensors) => elements + (tensors * Alignment);

    /// <summary>A trainable view of zeros.</summary>
    /// <param name="shape">Its shape.</param>
    public Parameter Allocate(params long[] shape) => AllocateRows(shape[0], [shape])[0];

    /// <summary>Trainable views of zeros whose rows follow each other without a gap.</summary>
    /// <param name="rows">Rows of all together.</param>
    /// <param name="shapes">Shapes that differ in their first dimension only.</param>
    public IReadOnlyList<Parameter> AllocateRows(long rows, IReadOnlyList<long[]> shapes)
    {
        var width = shapes[0].Skip(1).Aggregate(1L, (product, size) => product * size);
        var offset = Count;
        Count = (offset + (rows * width) + Alignment - 1) / Alignment * Alignment;
        var parameters = new List<Parameter>();
        foreach (var shape in shapes)
        {
            var parameter = new Parameter(_values.narrow(0, offset, shape[0] * width).view(shape));
            parameters.Add(parameter);
            _parameters.Add((parameter, offset));
            offset += shape[0] * width;
        }

        return parameters;
    }

    /// <summary>
    /// The flat buffer of all parameters, [<see cref="Count"/>]; a new view, to be disposed by the caller.
    /// </summary>
    public Tensor Values() => _values.narrow(0, 0, Count);

    /// <summary>
    /// The flat buffer of all gradients, [<see cref="Count"/>]; a new view. The first call makes it and sets every
    /// parameter's gradient to its part of it, so that backward passes add to it in place.
    /// </summary>
    public Tensor Gradients()
    {
        if (_gradients is null)
        {
            _gradients = Zeros(_values.numel(), _values.dtype, _values.device);
            foreach (var (parameter, offset) in _parameters)
            {
                using var scope = NewDisposeScope();
                parameter.grad = _gradients.narrow(0, offset, parameter.numel()).view(parameter.shape);
            }
        }

        return _gradients.narrow(0, 0, Count);
    }

    /// <summary>
    /// A flat buffer of zeros that belongs to no dispose scope; on the CPU in large pages, which long passes over it
    /// are faster on.
    /// </summary>
    internal static Tensor Zeros(long count, ScalarType dtype, Device device)
    {
        if (dtype != ScalarType.Float32 || device.type != TorchSharp.DeviceType.CPU)
            return zeros([count], dtype: dtype, device: device).DetachFromDisposeScope();
        var buffer = BufferPool.Empty(count).DetachFromDisposeScope();
        buffer.zero_();
        return buffer;
    }

    internal void Dispose()
    {
        _values.Dispose();
        _gradients?.Dispose();
    }
}
