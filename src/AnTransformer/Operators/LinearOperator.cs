using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Operators;

/// <summary>
/// <see cref="LinearMap"/> on the CPU, which nearly all of a training step is. ν is the matrix product's own factor and
/// costs nothing; s and share are multiplied onto W's rows; <c>keep ⊙ h</c> is where the product's sums start.
/// </summary>
internal sealed unsafe class LinearOperator
{
    // Rows of a row-wise function that are computed at once: few enough to be near, and so many that the matrix's
    // gradient is not read and written too often.
    private const long FunctionRows = 4096;
    private const long FewRows = 32;

    private readonly LinearInput _input;
    private readonly List<Parameter> _weights;
    private readonly double _factor;
    private readonly RowScales? _scales;
    private readonly Tensor? _stream;
    private readonly Interpolation? _interpolation;
    private readonly long _outputWidth;

    private LinearOperator(in LinearMap map)
    {
        if (map.Scales is not null && map.Interpolation is not null)
            throw new ArgumentException("Factors per output and an interpolation cannot be combined.", nameof(map));
        (_input, _scales, _stream, _interpolation) = (map.Input, map.Scales, map.Stream, map.Interpolation);
        _factor = map.Factor;
        _weights = map.Parts.Select(part => part.Weight).ToList();
        _outputWidth = _weights.Sum(weight => weight.shape[0]);
    }

    /// <summary>Whether rows of the matrix are multiplied by factors, and which.</summary>
    private bool ScalesRows => _scales is not null || _interpolation is not null;

    /// <summary>Whether the kernels can take it and pay.</summary>
    public static bool Fits(in LinearMap map)
    {
        if (!IsWorthwhile(map) || !ShapesFit(map)
            || !FusedKernels.ArePlain(
                map.Input.Source, map.Input.Gain, map.Stream, map.Interpolation?.Parameter, map.Parts[0].Weight))
        {
            return false;
        }

        var next = TensorMemory.Floats(map.Parts[0].Weight);
        foreach (var part in map.Parts)
        {
            if (TensorMemory.Floats(part.Weight) != next)
                return false;
            next += part.Weight.numel();
        }

        return true;
    }

    /// <summary>Applies the operator.</summary>
    /// <param name="map">The map and its input.</param>
    /// <returns>Shape [..., out].</returns>
    public static Tensor Apply(in LinearMap map) => new LinearOperator(map).Fused();

    /// <summary>
    /// A few rows without gradients, as in generation, are cheaper on LibTorch's operators: here W's rows are scaled,
    /// there the few results.
    /// </summary>
    private static bool IsWorthwhile(in LinearMap map)
        => map.Input.Source.numel() >= FewRows * map.Input.SourceWidth
            || (is_grad_enabled() && map.Parts[0].Weight.requires_grad);

    /// <summary>
    /// Whether shapes are those the kernels assume; LibTorch's operators broadcast, or say what is wrong.
    /// </summary>
    private static bool ShapesFit(in LinearMap map)
    {
        var (input, rows) = (map.Input, 0L);
        foreach (var part in map.Parts)
        {
            if (part.Weight.shape[1] != input.Width)
                return false;
            rows += part.Weight.shape[0];
        }

        return input.IsValid
            && (map.Stream is null || map.Stream.shape.AsSpan().SequenceEqual([.. input.Source.shape[..^1], rows]))
            && (map.Scales is null || map.Scales.Parameters.Sum(parameter => parameter.numel()) == rows)
            && (map.Interpolation is null || map.Interpolation.Parameter.numel() == rows);
    }

    private Tensor Fused()
    {
        Dispatch.Record(Operation.Linear, DispatchPath.Fused);
        var source = _input.Source;
        var output = BufferPool.Empty([.. source.shape[..^1], _outputWidth]);
        Compute(TensorMemory.Floats(source), TensorMemory.Floats(output), source.numel() / _input.SourceWidth);
        var inputs = new List<Tensor> { source };
        if (_stream is not null)
            inputs.Add(_stream);
        inputs.AddRange(_weights);
        if (_input.Gain is { } gain)
            inputs.Add(gain);
        if (_scales is not null)
            inputs.AddRange(_scales.Parameters);
        if (_interpolation is not null)
            inputs.Add(_interpolation.Parameter);
        if (!AutogradNode.IsNeeded([.. inputs]))
            return output;
        List<Tensor> saved = [AutogradNode.Save(source)];
        if (_interpolation is not null)
            saved.Add(AutogradNode.Save(_stream!));
        AutogradNode.Record(
            inputs, output, saved, gradient => Backward(gradient, saved[0], _interpolation is null ? null : saved[1]));
        return output;
    }

    private void Compute(float* source, float* output, long rows)
    {
        var (width, outputWidth) = (_input.Width, _outputWidth);
        using var factors = new Factors(this);
        if (_stream is not null)
            StartWithStream(output, factors, rows);
        var chunk = _input.IsIdentity ? rows : FunctionRows;
        using var scratch = BufferPool.Rent(_input.IsIdentity ? 1 : chunk * width);
        for (long first = 0; first < rows; first += chunk)
        {
            var count = Math.Min(chunk, rows - first);
            var x = Rows(source + (first * _input.SourceWidth), scratch.Pointer, count);
            using var timer = PhaseClock.Measure(Phase.MatrixProducts);
            Gemm.MultiplyTransposed(
                count, outputWidth, width, (float)_factor, x, width, factors.Matrix, width, _stream is null ? 0 : 1,
                output + (first * outputWidth), outputWidth);
        }
    }

    private void StartWithStream(float* output, Factors factors, long rows)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var stream = TensorMemory.Floats(_stream!);
        var keep = factors.Keep;
        var width = (int)_outputWidth;
        CpuTeam.For(rows, 32, (first, count) =>
        {
            var (at, bytes) = (first * width, count * width * sizeof(float));
            if (keep == null)
                Buffer.MemoryCopy(stream + at, output + at, bytes, bytes);
            else
                CpuKernels.Instance.ScaleChannels(stream + at, keep, output + at, count, width);
        });
    }

    /// <summary>
    /// The rows that the matrix is multiplied with: those of the source, or the function of them in scratch memory.
    /// </summary>
    private float* Rows(float* source, float* scratch, long rows)
    {
        if (_input.IsIdentity)
            return source;
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var (sourceWidth, width) = (_input.SourceWidth, _input.Width);
        CpuTeam.For(
            rows, 8,
            (first, count) => _input.Forward(source + (first * sourceWidth), scratch + (first * width), count));
        return scratch;
    }

    private List<Tensor?> Backward(Tensor gradient, Tensor source, Tensor? stream)
    {
        var (width, outputWidth, sourceWidth) = (_input.Width, _outputWidth, _input.SourceWidth);
        var rows = gradient.numel() / outputWidth;
        var g = TensorMemory.Floats(gradient);
        var weightTarget = new GradientTarget(_weights);
        var gainTarget = _input.Gain is { } gain ? new GradientTarget([gain]) : null;
        var sourceGradient = _input.OverwritesSource ? AutogradNode.Save(source) : BufferPool.Empty(source.shape);
        var x = TensorMemory.Floats(source);
        var dx = TensorMemory.Floats(sourceGradient);
        using var factors = new Factors(this);
        using var scaled = BufferPool.Rent(ScalesRows ? outputWidth * width : 1);
        using var gainSums = new ChannelSums(gainTarget is null ? 0 : width);
        var dw = ScalesRows ? scaled.Pointer : weightTarget.Pointer;
        var chunk = _input.IsIdentity ? rows : FunctionRows;
        using var scratch = BufferPool.Rent(_input.IsIdentity ? 1 : chunk * width);
        for (long first = 0; first < rows; first += chunk)
        {
            var count = Math.Min(chunk, rows - first);
            var chunkSource = x + (first * sourceWidth);
            var chunkGradient = g + (first * outputWidth);
            var inputGradient = _input.IsIdentity ? dx : scratch.Pointer;
            using (PhaseClock.Measure(Phase.MatrixProducts))
            {
                Gemm.Multiply(
                    count, width, outputWidth, (float)_factor, chunkGradient, outputWidth, factors.Matrix, width, 0,
                    inputGradient, width);
            }

            if (!_input.IsIdentity)
                BackwardRows(inputGradient, chunkSource, dx + (first * sourceWidth), count, gainSums);
            using (PhaseClock.Measure(Phase.MatrixProducts))
            {
                Gemm.TransposedMultiply(
                    outputWidth, width, count, (float)_factor, chunkGradient, outputWidth, _input.IsIdentity
                        ? x
                        : inputGradient, width,
                    ScalesRows && first == 0 ? 0 : 1, dw, width);
            }
        }

        var results = new List<Tensor?> { sourceGradient };
        using var streamSums = new ChannelSums(_interpolation is null ? 0 : outputWidth);
        if (_stream is not null)
            results.Add(
                stream is null ? AutogradNode.Save(gradient) : StreamGradient(gradient, stream, factors, streamSums));
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        if (gainTarget is not null)
            gainSums.AddTo(gainTarget.Pointer);
        var scaleTarget = ScalesRows ? UnscaleRows(scaled.Pointer, weightTarget.Pointer, factors, streamSums) : null;
        results.AddRange(weightTarget.Results());
        if (gainTarget is not null)
            results.AddRange(gainTarget.Results());
        if (scaleTarget is not null)
            results.AddRange(scaleTarget.Results());
        return results;
    }

    private void BackwardRows(float* gradient, float* source, float* sourceGradient, long rows, ChannelSums gainSums)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var (sourceWidth, width) = (_input.SourceWidth, _input.Width);
        gainSums.Run(rows, (first, count, sums) => _input.Backward(
            gradient + (first * width), source + (first * sourceWidth), sourceGradient
                + (first * sourceWidth), sums, count));
    }

    private Tensor StreamGradient(Tensor gradient, Tensor stream, Factors factors, ChannelSums sums)
    {
        using var timer = PhaseClock.Measure(Phase.FusedOperators);
        var result = BufferPool.Empty(stream.shape);
        var g = TensorMemory.Floats(gradient);
        var h = TensorMemory.Floats(stream);
        var dh = TensorMemory.Floats(result);
        var keep = factors.Keep;
        var width = (int)_outputWidth;
        sums.Run(stream.numel() / width, (first, count, partial) => CpuKernels.Instance.ScaleChannelsBackward(
            g + (first * width), h + (first * width), keep, dh + (first * width), partial, count, width));
        return result;
    }

    /// <summary>From the gradient of the scaled matrix those of matrix and factors.</summary>
    private GradientTarget UnscaleRows(
        float* scaledGradient, float* weightGradient, Factors factors, ChannelSums streamSums)
    {
        var target = new GradientTarget(_scales?.Parameters ?? [_interpolation!.Parameter]);
        using var ds = BufferPool.Rent(2 * _outputWidth);
        var width = (int)_input.Width;
        var w = TensorMemory.Floats(_weights[0]);
        var s = factors.Rows;
        var sums = ds.Pointer;
        CpuTeam.For(_outputWidth, 16, (first, count) => CpuKernels.Instance.ScaleRowsBackward(
            scaledGradient + (first * width), w + (first * width), s + first, weightGradient + (first * width), sums
                + first, count, width));
        if (_scales is not null)
        {
            _scales.Backward(ds.Pointer, target.Pointer);
            return target;
        }

        var dkeep = ds.Pointer + _outputWidth;
        new Span<float>(dkeep, (int)_outputWidth).Clear();
        streamSums.AddTo(dkeep);
        _interpolation!.Backward(dkeep, ds.Pointer, target.Pointer);
        return target;
    }

    /// <summary>
    /// The factors' values and the matrix that the input is multiplied with: W, or W with scaled rows in scratch
    /// memory.
    /// </summary>
    private sealed class Factors : IDisposable
    {
        private readonly float* _memory;

        public Factors(LinearOperator linear)
        {
            Matrix = TensorMemory.Floats(linear._weights[0]);
            if (!linear.ScalesRows)
                return;
            using var timer = PhaseClock.Measure(Phase.FusedOperators);
            var (rows, width) = (linear._outputWidth, (int)linear._input.Width);
            var aligned = (rows + 15) / 16 * 16;
            _memory = BufferPool.Rent((2 * aligned) + (rows * width)).Pointer;
            var s = Rows = _memory;
            if (linear._scales is not null)
            {
                linear._scales.Values(s);
            }
            else
            {
                Keep = _memory + aligned;
                linear._interpolation!.Values(Keep, s);
            }

            var from = Matrix;
            var to = Matrix = _memory + (2 * aligned);
            CpuTeam.For(rows, 32, (first, count)
                => CpuKernels.Instance.ScaleRows(
                    from + (first * width), s + first, to + (first * width), count, width));
        }

        public float* Matrix { get; }

        /// <summary>The factors of the rows, [out]; null for none.</summary>
        public float* Rows { get; }

        /// <summary>The stream's factors, [out]; null for 1.</summary>
        public float* Keep { get; }

        public void Dispose()
        {
            if (_memory != null)
                BufferPool.Return(_memory);
        }
    }
}
