using AnTransformer.Configuration;
using AnTransformer.Inference.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>Activations of a pass that all threads see; they grow with the longest pass and stay.</summary>
internal sealed unsafe class SharedBuffers : IDisposable
{
    private NativeBuffer? _activations;
    private NativeBuffer? _logits;
    private int _rows;
    private int _outputs;

    /// <summary>The residual stream of many tokens, [rows, d].</summary>
    public float* Stream { get; private set; }

    /// <summary>What matrices read of many tokens, [rows, d].</summary>
    public float* Input { get; private set; }

    /// <summary>Queries, keys and values as projected, [rows, (H + 2K) d_h].</summary>
    public float* Projected { get; private set; }

    /// <summary>Queries as attention sees them, [rows, H d_h].</summary>
    public float* Queries { get; private set; }

    /// <summary>Attention's result, [rows, H d_h].</summary>
    public float* Attended { get; private set; }

    /// <summary>The gated product, [rows, f].</summary>
    public float* Gated { get; private set; }

    /// <summary>A block's output, [rows, d].</summary>
    public float* Output { get; private set; }

    /// <summary>[outputs, V].</summary>
    public float* Logits => _logits is null ? null : _logits.Floats;

    /// <summary>Makes room.</summary>
    /// <param name="config">The model's sizes.</param>
    /// <param name="rows">Tokens of the pass.</param>
    /// <param name="outputs">Tokens whose logits are wanted.</param>
    public void Reserve(ModelConfig config, int rows, int outputs)
    {
        if (rows > _rows)
        {
            _activations?.Dispose();
            _rows = rows;
            Place(config);
        }

        if (outputs > _outputs)
        {
            _logits?.Dispose();
            _logits = NativeBuffer.OfFloats((long)outputs * config.VocabSize);
            _outputs = outputs;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _activations?.Dispose();
        _logits?.Dispose();
    }

    private void Place(ModelConfig config)
    {
        // Tiles read whole tiles of rows, also from the last row on.
        const int Multiple = Tiles<Simd512>.RowMultiple;
        var rows = (long)(_rows + (2 * Multiple));
        var attention = config.Attention;
        int[] widths =
        [
            config.HiddenSize, config.HiddenSize, attention.ProjectedWidth, attention.QueryWidth, attention.QueryWidth,
            config.IntermediateSize, config.HiddenSize,
        ];
        const int Line = 16;
        _activations = NativeBuffer.OfFloats(widths.Sum(width => (rows * width) + Line));
        var next = _activations.Floats;
        var places = stackalloc float*[widths.Length];
        for (var i = 0; i < widths.Length; i++)
        {
            places[i] = next;
            next += ((rows * widths[i]) + Line - 1) / Line * Line;
        }

        Stream = places[0];
        Input = places[1];
        Projected = places[2];
        Queries = places[3];
        Attended = places[4];
        Gated = places[5];
        Output = places[6];
    }
}
