using AnTransformer.Configuration;
using AnTransformer.Operators;

namespace AnTransformer.Training.Data;

/// <summary>
/// Chooses the positions that a masked language model predicts, and what it sees there (BERT, arXiv 1810.04805, section
/// 3.1): of those chosen 80 % are <c>&lt;mask&gt;</c>, 10 % any token and 10 % the token itself, so that the model
/// cannot tell where it will be asked. A function of (seed, sequence, position) alone: each visit of a text in training
/// has another mask (RoBERTa, arXiv 1907.11692, section 4.1), and a resumed run needs nothing but its position.
/// </summary>
/// <remarks>
/// As in BERT, all sequences have the same number of chosen positions, so that the mean over micro-batches is the mean
/// over all predicted tokens of a step. The token between documents is one like any other.
/// </remarks>
public sealed class TokenMasker
{
    private const double MaskedShare = 0.8;
    private const double RandomShare = 0.1;

    // Keys of their own: the order of the data follows from the same seed.
    private const ulong TrainingKey = 0x6D61736B5F747261;
    private const ulong EvaluationKey = 0x6D61736B5F657661;
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private readonly TokenMasking _masking;
    private readonly ulong _key;

    private TokenMasker(TokenMasking masking, ulong key) => (_masking, _key) = (masking, key);

    /// <summary>The masks that a run trains with.</summary>
    /// <param name="config">The model.</param>
    /// <param name="seed">The run's seed.</param>
    /// <returns>Null for a causal model.</returns>
    public static TokenMasker? ForTraining(ModelConfig config, long seed)
        => config.Masking is { } masking
            ? new TokenMasker(masking, IndexPermutation.Mix((ulong)seed + Golden) ^ TrainingKey)
            : null;

    /// <summary>The masks of all evaluations, which no seed changes, so that their losses compare.</summary>
    /// <param name="config">The model.</param>
    /// <returns>Null for a causal model.</returns>
    public static TokenMasker? ForEvaluation(ModelConfig config)
        => config.Masking is { } masking ? new TokenMasker(masking, EvaluationKey) : null;

    /// <summary>How many tokens of a sequence are predicted: the share of them, rounded, and one at least.</summary>
    /// <param name="length">Tokens of the sequence.</param>
    public int CountIn(int length) => Math.Max(1, (int)Math.Round(_masking.Probability * length));

    /// <summary>Masks a sequence.</summary>
    /// <param name="sequence">Its index in the order of the data.</param>
    /// <param name="tokens">[T] ids; those at some of the chosen positions are replaced.</param>
    /// <param name="targets">
    /// Receives [T] ids: the token itself at chosen positions, <see cref="IgnoredTargets.Index"/> elsewhere.
    /// </param>
    /// <exception cref="ArgumentException">Spans of different lengths.</exception>
    public void Apply(long sequence, Span<long> tokens, Span<long> targets)
    {
        if (tokens.Length != targets.Length)
            throw new ArgumentException($"Must hold {tokens.Length} ids.", nameof(targets));
        targets.Fill(IgnoredTargets.Index);
        var order = new IndexPermutation(tokens.Length, _key, (ulong)sequence);
        var draws = IndexPermutation.Mix(_key + ((ulong)sequence * Golden));
        for (var i = 0; i < CountIn(tokens.Length); i++)
        {
            var position = (int)order[i];
            targets[position] = tokens[position];
            var draw = IndexPermutation.Mix(draws + ((ulong)position * Golden));
            var share = (draw >> 11) * (1.0 / (1UL << 53));
            if (share < MaskedShare)
                tokens[position] = _masking.TokenId;
            else if (share < MaskedShare + RandomShare)
                tokens[position] = (long)Math.BigMul(IndexPermutation.Mix(draw), (ulong)_masking.TokenId, out _);
        }
    }
}
