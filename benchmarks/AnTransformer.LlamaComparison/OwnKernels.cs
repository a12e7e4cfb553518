using AnTransformer.Inference;

namespace AnTransformer.LlamaComparison;

/// <summary>This project's engine.</summary>
internal sealed class OwnKernels(string checkpoint, WeightDtype dtype, int threads, bool isMapped) : IContestant
{
    private readonly InferenceModel _model = InferenceModel.Load(
        checkpoint, new InferenceOptions(dtype, threads, isMapped));

    private InferenceSession? _session;

    public string Name => "AnTransformer " + dtype;

    public int VocabSize => _model.Config.VocabSize;

    public void Reset()
    {
        _session?.Dispose();
        _session = _model.CreateSession();
    }

    public int Read(ReadOnlySpan<int> tokens)
        => Greedy.Of(tokens.Length == 1 ? _session!.Decode(tokens[0]) : _session!.Prefill(tokens));

    public void Dispose()
    {
        _session?.Dispose();
        _model.Dispose();
    }
}
