using AnTransformer.Generation;

namespace AnTransformer.Tests.Models;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [MathF.Log(0.1f), MathF.Log(0.4f), MathF.Log(0.2f), MathF.Log(0.3f)];

    [Theory]
    [InlineData(0, 1, 0, 1, "0123")]
    [InlineData(2, 1, 0, 1, "13")]
    [InlineData(0, 0.65, 0, 1, "13")]
    [InlineData(0, 1, 0.49, 1, "123")]
    [InlineData(0, 1, 0.74, 1, "13")]
    [InlineData(0, 1, 1, 1, "1")]
    [InlineData(3, 0.7, 0.1, 1, "13")]
    [InlineData(0, 1, 0.5, 0.5, "13")]      // cooler: ratios are squared before the minimum cuts
    public void Only_what_the_cuts_leave_is_drawn(int topK, double topP, double minP, double temperature, string expected)
    {
        var sampler = new Sampler(new SamplingOptions(temperature, topK, topP, Seed: 1, minP));
        var drawn = Enumerable.Range(0, 300).Select(_ => sampler.Next(Logits)).Distinct().Order();
        Assert.Equal(expected, string.Concat(drawn));
    }

    [Fact]
    public void The_penalty_divides_positive_logits_and_multiplies_negative_ones_of_observed_tokens()
    {
        float[] logits = [2, 1.5f, -1, -1.2f];
        var sampler = new Sampler(new SamplingOptions(Temperature: 0, RepetitionPenalty: 1.5));
        Assert.Equal(0, sampler.Next(logits));
        sampler.Observe(0);
        Assert.Equal(1, sampler.Next(logits));
        sampler.Observe(1);
        Assert.Equal(0, sampler.Next(logits));
        Assert.Equal(2, sampler.Next([-3, -3, -1, -1.2f]));
        sampler.Observe(2);
        Assert.Equal(3, sampler.Next([-3, -3, -1, -1.2f]));
    }

    [Fact]
    public void Stop_texts_are_held_back_until_it_is_clear()
    {
        var stops = new StopSequences(["\n\n", "END", "ENOUGH"]);
        Assert.Equal("a ", stops.Append("a E"));
        Assert.Equal("", stops.Append("N"));
        Assert.Equal("ENx\n"[..3], stops.Append("x\n"));
        Assert.Equal("\ny", stops.Append("y"));
        Assert.Equal("", stops.Append("EN"));
        Assert.Equal("EN", stops.Flush());
        Assert.False(stops.IsStopped);
        Assert.Equal("z", stops.Append("zENOUGH and more"));
        Assert.True(stops.IsStopped);
        Assert.Equal("", stops.Append("more") + stops.Flush());
        Assert.Throws<InvalidInputException>(() => new StopSequences([""]));
        Assert.Equal("plain", new StopSequences([]).Append("plain"));
    }
}
