using AnTransformer.Generation;
using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Evaluation.Scoring;

/// <summary>What a model expects after a token.</summary>
/// <param name="logits">[V].</param>
internal unsafe ref struct LogitsRow(ReadOnlySpan<float> logits)
{
    private readonly ReadOnlySpan<float> _logits = logits;
    private int _best = -1;
    private int _token = -1;
    private float _loss;

    /// <summary>The likeliest token, the first of several.</summary>
    public int Best => _best >= 0 ? _best : _best = Sampler.ArgMax(_logits);

    /// <summary>A token's natural log-probability, as <c>score</c> has it to the bit.</summary>
    public double LogProbability(int token)
    {
        if (token != _token)
        {
            long target = _token = token;
            fixed (float* row = _logits)
            fixed (float* loss = &_loss)
                CpuKernels.Instance.CrossEntropy(row, &target, loss, 1, _logits.Length, 0);
        }

        return -_loss;
    }
}
