using AnTransformer.Configuration;
using AnTransformer.Inference.Kernels;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Inference.Execution;

/// <summary>What a thread has for itself.</summary>
/// <typeparam name="V">The vector.</typeparam>
internal sealed unsafe class ThreadBuffers<V> : IDisposable
    where V : struct, ISimd<V>
{
    private readonly NativeBuffer _stream;
    private readonly NativeBuffer _input;
    private readonly NativeBuffer _scaledInput;
    private readonly NativeBuffer _scratch;
    private readonly NativeBuffer _key;
    private NativeBuffer? _pairs;
    private NativeBuffer? _scores;
    private long _pairCount;
    private int _keys;

    /// <summary>Buffers of one thread.</summary>
    /// <param name="config">The model's sizes.</param>
    public ThreadBuffers(ModelConfig config)
    {
        const int Few = MatrixProducts<V>.FewTokens;
        var longest = Math.Max(config.HiddenSize, Math.Max(config.IntermediateSize, config.Attention.QueryWidth));
        _stream = NativeBuffer.OfFloats((long)Few * config.HiddenSize);
        _input = NativeBuffer.OfFloats((long)Few * config.HiddenSize);
        _scaledInput = NativeBuffer.OfFloats((long)Few * longest);
        _scratch = NativeBuffer.OfFloats(MatrixProducts<V>.Scratch(longest));
        _key = NativeBuffer.OfFloats(config.HeadSize);
    }

    /// <summary>The residual stream of few tokens.</summary>
    public float* Stream => _stream.Floats;

    /// <summary>What matrices read of few tokens.</summary>
    public float* Input => _input.Floats;

    /// <summary>Few tokens' input times a matrix's column scales.</summary>
    public float* ScaledInput => _scaledInput.Floats;

    /// <summary>Scratch of products and updates.</summary>
    public float* Scratch => _scratch.Floats;

    /// <summary>A rotated key.</summary>
    public float* Key => _key.Floats;

    /// <summary>A tile's scores, [8, <see cref="ScoreStride"/>].</summary>
    public float* Scores => _scores!.Floats;

    /// <summary>Distance of scores' rows.</summary>
    public long ScoreStride => _keys;

    /// <summary>Σ exp of a tile's scores, behind them.</summary>
    public float* LogSums => _scores!.Floats + ((long)GemmTile.MostRows * _keys);

    /// <summary>Makes room for scores.</summary>
    /// <param name="rows">Tokens of the pass.</param>
    /// <param name="keys">Positions that a token sees at most.</param>
    public void Reserve(int rows, int keys)
    {
        if (keys + Tiles<V>.Columns > _keys)
        {
            _scores?.Dispose();
            // Twice as many as needed, so that decoding does not come here for every token.
            _keys = ((2 * keys) + (2 * Tiles<V>.Columns)) / Tiles<V>.Columns * Tiles<V>.Columns;
            _scores = NativeBuffer.OfFloats(((long)GemmTile.MostRows * _keys) + GemmTile.MostRows);
        }
    }

    /// <summary>Gates and ups of some channels, [tokens, 2 channels].</summary>
    /// <param name="tokens">Tokens of the pass.</param>
    /// <param name="channels">How many channels.</param>
    public float* Pairs(int tokens, int channels)
    {
        var count = 2L * tokens * channels;
        if (count > _pairCount)
        {
            _pairs?.Dispose();
            _pairs = NativeBuffer.OfFloats(count);
            _pairCount = count;
        }

        return _pairs!.Floats;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in (NativeBuffer?[])[_stream, _input, _scaledInput, _scratch, _key, _pairs, _scores])
            buffer?.Dispose();
    }
}
