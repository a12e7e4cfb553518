using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>
/// <see cref="LinearMap"/> on a CUDA device: LibTorch's matrix product between kernels for what comes before and after
/// it. Weights are cast again in the backward pass and the gated product is computed again; their gradients are added
/// in place.
/// </summary>
internal sealed class CudaLinear
{
    private readonly CudaKernels _kernels;
    private readonly LinearInput _linearInput;
    private readonly CudaInput _input;
    private readonly CudaMatrix _matrix;
    private readonly ScalarType _dtype;
    private readonly double _factor;

    private CudaLinear(CudaKernels kernels, in LinearMap map)
    {
        (_kernels, _linearInput, _factor) = (kernels, map.Input, map.Factor);
        _dtype = map.Context.ComputeDtype;
        _input = new CudaInput(kernels, map.Input, _dtype);
        _matrix = new CudaMatrix(map.Parts, _dtype);
    }

    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(CudaKernels kernels, in LinearMap map)
        => CudaInput.Fits(kernels, map.Input, map.Context.ComputeDtype)
            && (map.Stream is not { } stream
                || (kernels.Launcher.Holds(stream) && stream.dtype == ScalarType.Float32 && stream.is_contiguous()));

    /// <summary>Applies the operator.</summary>
    public static Tensor Apply(CudaKernels kernels, in LinearMap map)
    {
        Dispatch.Record(Operation.Linear, DispatchPath.Cuda);
        using var scope = NewDisposeScope();
        return new CudaLinear(kernels, map).Forward(map.Scales?.Eager(), map.Stream, map.Interpolation?.Eager())
            .MoveToOuterDisposeScope();
    }

    private Tensor Forward(Tensor? scales, Tensor? stream, (Tensor Keep, Tensor Share)? interpolation)
    {
        var source = _linearInput.Source;
        List<Tensor?> inputs =
            [source, stream, .. _matrix.Weights, _linearInput.Gain, scales, interpolation?.Keep, interpolation?.Share];
        Tensor x, y, output;
        Tensor? reciprocal;
        using (no_grad())
        {
            (x, reciprocal) = _input.Forward(source.reshape(-1, _linearInput.SourceWidth));
            y = CudaProduct.Of(x, _matrix.Value(scales).t(), _factor).view([.. source.shape[..^1], _matrix.Rows]);
            output = stream is null ? y
                : interpolation is { } factors
                    ? CudaOperators.InterpolateForward(_kernels, stream, y, factors.Keep, factors.Share).Stream
                    : stream + y;
        }

        if (!AutogradNode.IsNeeded([.. inputs]))
            return output;
        var saved = new Saved(
            _input.NeedsSource
                ? source.view(-1, _linearInput.SourceWidth)
                : null, _input.IsComputedAgain
                ? null
                : x, reciprocal,
            scales, interpolation is null ? null : (stream!, y, interpolation.Value.Keep, interpolation.Value.Share));
        AutogradNode.Record(
            inputs.OfType<Tensor>()
                .ToList(), output, saved.Tensors, gradient => Backward(gradient, saved, stream is not null));
        return output;
    }

    private List<Tensor?> Backward(Tensor gradient, Saved saved, bool withStream)
    {
        var results = new List<Tensor?>();
        var dy = gradient;
        (Tensor H, Tensor X, Tensor Keep, Tensor Update)? ofUpdate = null;
        if (saved.Update is { } update)
        {
            ofUpdate = CudaOperators.InterpolateBackward(
                _kernels, gradient, castGradient: null, update.Stream, update.Value, update.Keep, update.Share);
            dy = ofUpdate.Value.X;
        }

        if (withStream)
            results.Add(ofUpdate?.H ?? gradient);
        dy = (dy.dtype == _dtype ? dy : dy.to(_dtype)).view(-1, _matrix.Rows);
        var x = saved.X ?? _input.Forward(saved.Source!).Result;
        var (weights, scales) = _matrix.AddGradient(dy, x, _factor, saved.Scales);
        var dx = CudaProduct.Of(dy, _matrix.Value(saved.Scales), _factor);
        var (source, gain) = _input.Backward(dx, saved.Source, saved.Reciprocal);
        results.Insert(0, source.view([.. gradient.shape[..^1], _linearInput.SourceWidth]));
        results.AddRange(weights);
        foreach (var other in new[] { gain, scales, ofUpdate?.Keep, ofUpdate?.Update })
        {
            if (other is not null)
                results.Add(other);
        }

        return results;
    }

    /// <summary>What the backward pass needs.</summary>
    private sealed class Saved
    {
        public Saved(
            Tensor? source, Tensor? x, Tensor? reciprocal, Tensor? scales,
            (Tensor Stream, Tensor Value, Tensor Keep, Tensor Share)? update)
        {
            (Source, X, Reciprocal, Scales) = (Keep(source), Keep(x), Keep(reciprocal), Keep(scales));
            if (update is { } given)
                Update = (Keep(given.Stream)!, Keep(given.Value)!, Keep(given.Keep)!, Keep(given.Share)!);
        }

        public List<Tensor> Tensors { get; } = [];

        public Tensor? Source { get; }

        public Tensor? X { get; }

        public Tensor? Reciprocal { get; }

        public Tensor? Scales { get; }

        public (Tensor Stream, Tensor Value, Tensor Keep, Tensor Share)? Update { get; }

        private Tensor? Keep(Tensor? tensor)
        {
            if (tensor is null)
                return null;
            var kept = AutogradNode.Save(tensor);
            Tensors.Add(kept);
            return kept;
        }
    }
}
