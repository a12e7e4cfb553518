using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Operators;
using AnTransformer.Training.Data;

namespace AnTransformer.Training.Tests.Data;

public sealed class TokenMaskerTests
{
    private const int Mask = 1000;
    private const int Length = 64;
    private const int Sequences = 4000;
    private static readonly ModelConfig Config = ArchitectureRegistry.CreateConfig("gpt", Mask + 1, 8, 2, 1, Length) with
    {
        IsCausal = false,
        Masking = new TokenMasking(Mask, 0.2),
    };

    [Fact]
    public void Of_the_chosen_tokens_eight_in_ten_are_masks_one_any_token_one_itself()
    {
        var masker = TokenMasker.ForTraining(Config, seed: 1)!;
        var (masked, replaced, kept) = (0, 0, 0);
        var chosen = new int[Length];
        var drawn = new HashSet<long>();
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var (before, tokens, targets) = Apply(masker, sequence);
            Assert.Equal(13, targets.Count(target => target != IgnoredTargets.Index));
            for (var i = 0; i < Length; i++)
            {
                if (targets[i] == IgnoredTargets.Index)
                {
                    Assert.Equal(before[i], tokens[i]);
                    continue;
                }

                Assert.Equal(before[i], targets[i]);
                chosen[i]++;
                if (tokens[i] == Mask)
                    masked++;
                else if (tokens[i] == before[i])
                    kept++;
                else
                    replaced++;
                if (tokens[i] != Mask && tokens[i] != before[i])
                    drawn.Add(tokens[i]);
            }
        }

        // Within five standard deviations; every position as often as any other, every token drawn.
        double total = 13 * Sequences;
        Assert.InRange(masked / total, 0.8 - 0.009, 0.8 + 0.009);
        Assert.InRange(replaced / total, 0.1 - 0.007, 0.1 + 0.007);
        Assert.InRange(kept / total, 0.1 - 0.007, 0.1 + 0.007);
        var deviation = Math.Sqrt(Sequences * 0.2 * 0.8);
        Assert.All(chosen, count => Assert.InRange(count, (total / Length) - (5 * deviation), (total / Length) + (5 * deviation)));
        Assert.All(drawn, token => Assert.InRange(token, 0, Mask - 1));
        Assert.True(drawn.Count > 900);
    }

    [Fact]
    public void A_mask_is_a_function_of_seed_and_sequence_and_evaluation_has_one_of_its_own()
    {
        var masker = TokenMasker.ForTraining(Config, seed: 1)!;
        Assert.Equivalent(Apply(masker, 7), Apply(TokenMasker.ForTraining(Config, seed: 1)!, 7), strict: true);
        Assert.NotEqual(Apply(masker, 7).Tokens, Apply(masker, 8).Tokens);
        Assert.NotEqual(Apply(masker, 7).Tokens, Apply(TokenMasker.ForTraining(Config, seed: 2)!, 7).Tokens);
        Assert.NotEqual(Apply(masker, 7).Tokens, Apply(TokenMasker.ForEvaluation(Config)!, 7).Tokens);
        Assert.Null(TokenMasker.ForTraining(Config with { IsCausal = true, Masking = null }, seed: 1));
    }

    [Theory]
    [InlineData(0.15, 1, 1)]
    [InlineData(0.15, 3, 1)]
    [InlineData(0.15, 128, 19)]
    [InlineData(0.999, 10, 10)]
    public void Of_a_sequence_one_token_at_least_is_chosen(double probability, int length, int expected)
    {
        var masker = TokenMasker.ForEvaluation(Config with { Masking = new TokenMasking(Mask, probability) })!;
        Assert.Equal(expected, masker.CountIn(length));
        var (tokens, targets) = (new long[length], new long[length]);
        masker.Apply(3, tokens, targets);
        Assert.Equal(expected, targets.Count(target => target == 0));
    }

    private static (long[] Before, long[] Tokens, long[] Targets) Apply(TokenMasker masker, long sequence)
    {
        var before = Enumerable.Range(0, Length).Select(i => (long)i).ToArray();
        var (tokens, targets) = ((long[])before.Clone(), new long[Length]);
        masker.Apply(sequence, tokens, targets);
        return (before, tokens, targets);
    }
}
