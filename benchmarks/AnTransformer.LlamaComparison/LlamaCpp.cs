using LLama;
using LLama.Common;
using LLama.Native;

namespace AnTransformer.LlamaComparison;

/// <summary>llama.cpp through LLamaSharp, on the CPU.</summary>
internal sealed class LlamaCpp : IContestant
{
    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;
    private readonly LLamaBatch _batch = new();
    private int _position;

    public LlamaCpp(string path, int threads, int contextSize)
    {
        var parameters = new ModelParams(path)
        {
            ContextSize = (uint)contextSize,
            BatchSize = (uint)contextSize,
            UBatchSize = (uint)contextSize,
            GpuLayerCount = 0,
            Threads = threads,
            BatchThreads = threads,
        };
        _weights = LLamaWeights.LoadFromFile(parameters);
        _context = _weights.CreateContext(parameters);
    }

    public string Name => "llama.cpp";

    public void Reset()
    {
        _context.NativeHandle.MemoryClear();
        _position = 0;
    }

    public int Read(ReadOnlySpan<int> tokens)
    {
        _batch.Clear();
        for (var i = 0; i < tokens.Length; i++)
            _batch.Add((LLamaToken)tokens[i], _position++, LLamaSeqId.Zero, i == tokens.Length - 1);
        var result = _context.Decode(_batch);
        return result == DecodeResult.Ok
            ? Greedy.Of(_context.NativeHandle.GetLogitsIth(tokens.Length - 1))
            : throw new InvalidOperationException($"llama.cpp answers {result}.");
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }
}
