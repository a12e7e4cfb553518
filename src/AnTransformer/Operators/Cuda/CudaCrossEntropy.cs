using AnTransformer.Kernels;
using AnTransformer.Kernels.Cuda;
using static TorchSharp.torch;

namespace AnTransformer.Operators.Cuda;

/// <summary>
/// Head and cross-entropy on a CUDA device as <see cref="CrossEntropyOperator"/> has them on the CPU: logits exist for
/// some thousand tokens at a time, and where gradients are wanted they are turned into their gradient in place and
/// multiplied on at once. Nothing waits for the device: an id outside the vocabulary makes the loss NaN, and −100 is
/// left out as by TorchSharp's operator.
/// </summary>
internal sealed class CudaCrossEntropy
{
    private const long Ignored = -100;

    private readonly CudaKernels _kernels;
    private readonly LinearInput _linearInput;
    private readonly CudaInput _input;
    private readonly CudaMatrix _matrix;
    private readonly Tensor? _scales;
    private readonly long[] _sourceShape;

    private CudaCrossEntropy(CudaKernels kernels, in HeadLoss loss)
    {
        var dtype = loss.Context.ComputeDtype;
        (_kernels, _linearInput) = (kernels, loss.Input);
        (_input, _matrix) = (new CudaInput(kernels, loss.Input, dtype), new CudaMatrix([loss.Head], dtype));
        (_scales, _sourceShape) = (loss.Scales?.Eager(), loss.Input.Source.shape);
    }

    /// <summary>Logits in memory at a time; small in tests.</summary>
    internal static long LogitsAtOnce { get; set; } = 1L << 28;

    /// <summary>Whether the kernels can take it.</summary>
    public static bool Fits(CudaKernels kernels, in HeadLoss loss)
    {
        var (input, targets) = (loss.Input, loss.Targets);
        return CudaInput.Fits(kernels, input, loss.Context.ComputeDtype) && targets.dtype == ScalarType.Int64
            && kernels.Launcher.Holds(targets) && targets.is_contiguous() && input.IsValid
            && input.Width == loss.Head.Weight.shape[1]
            && targets.numel() == input.Source.numel() / input.SourceWidth;
    }

    /// <summary>The mean loss, a scalar.</summary>
    public static Tensor Mean(CudaKernels kernels, in HeadLoss loss)
    {
        Dispatch.Record(Operation.Loss, DispatchPath.Cuda);
        using var scope = NewDisposeScope();
        return new CudaCrossEntropy(kernels, loss).Mean(loss.Targets.flatten()).MoveToOuterDisposeScope();
    }

    /// <summary>Every token's loss outside the graph, [B, T].</summary>
    public static Tensor PerToken(CudaKernels kernels, in HeadLoss loss)
    {
        Dispatch.Record(Operation.TokenLosses, DispatchPath.Cuda);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return new CudaCrossEntropy(kernels, loss)
            .Losses(loss.Targets.flatten(), gradients: null).view(loss.Targets.shape)
            .MoveToOuterDisposeScope();
    }

    private Tensor Mean(Tensor targets)
    {
        List<Tensor?> inputs = [_linearInput.Source, .. _matrix.Weights, _linearInput.Gain, _scales];
        var isNeeded = AutogradNode.IsNeeded([.. inputs]);
        Gradients? gradients = null;
        Tensor share, output;
        using (no_grad())
        {
            gradients = isNeeded ? new Gradients(this) : null;
            share = targets.ne(Ignored).sum().to(ScalarType.Float32).reciprocal();
            output = Losses(targets, gradients).sum() * share;
        }

        if (gradients is null)
            return output;
        List<Tensor> saved = [.. gradients.Tensors, AutogradNode.Save(share)];
        if (_scales is not null)
            saved.Add(AutogradNode.Save(_scales));
        AutogradNode.Record(
            inputs.OfType<Tensor>().ToList(), output, saved,
            gradient => Backward(
                gradient * saved[gradients.Tensors.Count], gradients, _scales is null ? null : saved[^1]));
        return output;
    }

    private Tensor Losses(Tensor targets, Gradients? gradients)
    {
        var source = _linearInput.Source.reshape(-1, _linearInput.SourceWidth);
        var matrix = _matrix.Value(_scales);
        var rows = source.shape[0];
        var chunk = Math.Clamp(LogitsAtOnce / matrix.shape[0], 1, rows);
        var losses = new List<Tensor>();
        for (long first = 0; first < rows; first += chunk)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(chunk, rows - first);
            var from = source.narrow(0, first, count);
            var (x, reciprocal) = _input.Forward(from);
            var logits = x.mm(matrix.t());
            losses.Add(CudaOperators.CrossEntropy(
                _kernels, logits, targets.narrow(0, first, count), scale: 1,
                withGradient: gradients is not null).MoveToOuterDisposeScope());
            if (gradients is null)
                continue;
            CudaProduct.AddTo(gradients.Matrix, logits.t(), x, 1);
            var target = gradients.Source.narrow(0, first, count);
            if (_linearInput.IsIdentity)
            {
                target.addmm_(logits, matrix, beta: 0);
                continue;
            }

            var (ofSource, ofGain) = _input.Backward(logits.mm(matrix), from, reciprocal);
            target.copy_(ofSource);
            if (ofGain is not null)
                gradients.Gain!.add_(ofGain);
        }

        return losses.Count == 1 ? losses[0] : cat(losses);
    }

    private List<Tensor?> Backward(Tensor factor, Gradients gradients, Tensor? scales)
    {
        var source = gradients.Source.to(ScalarType.Float32) * factor;
        var (weights, ofScales) = _matrix.AddGradient(gradients.Matrix.mul_(factor), scales);
        List<Tensor?> results = [source.view(_sourceShape), .. weights];
        if (gradients.Gain is { } gain)
            results.Add(gain * factor);
        if (ofScales is not null)
            results.Add(ofScales);
        return results;
    }

    /// <summary>Gradients of the sum of the losses, computed along with them.</summary>
    private sealed class Gradients
    {
        public Gradients(CudaCrossEntropy operation)
        {
            var input = operation._linearInput;
            var (kernels, rows) = (operation._kernels, input.Source.numel() / input.SourceWidth);
            var dtype = input.IsIdentity ? operation._matrix.Dtype : input.Source.dtype;
            Source = Add(kernels.Launcher.Empty([rows, input.SourceWidth], dtype));
            Matrix = Add(
                zeros([operation._matrix.Rows, input.Width], dtype: ScalarType.Float32, device: input.Source.device));
            if (input.Gain is not null)
                Gain = Add(zeros([input.Width], dtype: ScalarType.Float32, device: input.Source.device));
        }

        public List<Tensor> Tensors { get; } = [];

        public Tensor Source { get; }

        public Tensor Matrix { get; }

        public Tensor? Gain { get; }

        private Tensor Add(Tensor tensor)
        {
            var kept = AutogradNode.Save(tensor);
            Tensors.Add(kept);
            return kept;
        }
    }
}
