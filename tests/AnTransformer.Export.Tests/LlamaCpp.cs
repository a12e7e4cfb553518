using LLama;
using LLama.Common;
using LLama.Native;

namespace AnTransformer.Export.Tests;

/// <summary>A GGUF file in llama.cpp, in its strictest arithmetic: keys and values in F32, no flash attention.</summary>
internal sealed class LlamaCpp : IDisposable
{
    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;
    private readonly int _vocabSize;

    static LlamaCpp() => NativeLibraryConfig.All.WithLogCallback((LLamaLogLevel _, string _) => { });

    public LlamaCpp(string directory, int vocabSize)
    {
        var file = Assert.Single(Directory.EnumerateFiles(directory, "*.gguf"));
        var parameters = new ModelParams(file)
        {
            ContextSize = TestModels.Context,
            GpuLayerCount = 0,
            Threads = 1,
            BatchThreads = 1,
            FlashAttention = false,
            TypeK = GGMLType.GGML_TYPE_F32,
            TypeV = GGMLType.GGML_TYPE_F32,
        };
        _weights = LLamaWeights.LoadFromFile(parameters);
        _context = _weights.CreateContext(parameters);
        _vocabSize = vocabSize;
    }

    public IReadOnlyDictionary<string, string> Metadata => _weights.Metadata;

    /// <summary>Logits [T][V] of one sequence.</summary>
    public double[][] Logits(IReadOnlyList<int> tokens)
    {
        _context.NativeHandle.MemoryClear();
        return Append(tokens, 0, all: true);
    }

    /// <summary>The likeliest continuation, one token at a time with the cache.</summary>
    public List<int> Greedy(IReadOnlyList<int> prompt, int count)
    {
        _context.NativeHandle.MemoryClear();
        var logits = Append(prompt, 0, all: false)[^1];
        var drawn = new List<int>();
        while (drawn.Count < count)
        {
            drawn.Add(Array.IndexOf(logits, logits.Max()));
            logits = Append([drawn[^1]], prompt.Count + drawn.Count - 1, all: false)[^1];
        }

        return drawn;
    }

    public List<int> Tokenize(string text, bool special = false)
        => [.. _context.Tokenize(text, addBos: false, special).Select(token => (int)token)];

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }

    private double[][] Append(IReadOnlyList<int> tokens, int start, bool all)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens.Count; i++)
            batch.Add(tokens[i], start + i, LLamaSeqId.Zero, all || i == tokens.Count - 1);
        Assert.Equal(DecodeResult.Ok, _context.NativeHandle.Decode(batch));
        return [.. Enumerable.Range(0, tokens.Count).Where(i => all || i == tokens.Count - 1).Select(Row)];

        double[] Row(int i)
        {
            var row = _context.NativeHandle.GetLogitsIth(i);
            Assert.Equal(_vocabSize, row.Length);
            return Array.ConvertAll(row.ToArray(), value => (double)value);
        }
    }
}
