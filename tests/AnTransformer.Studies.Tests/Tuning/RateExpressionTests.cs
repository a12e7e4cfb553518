using AnTransformer.Studies.Tuning;

namespace AnTransformer.Studies.Tests.Tuning;

public sealed class RateExpressionTests
{
    [Theory]
    [InlineData("rate", "0.002")]
    [InlineData("rate*5", "0.01")]
    [InlineData("rate*0.1", "0.0002")]
    [InlineData("rate*x", "rate*x")]
    [InlineData("0.3", "0.3")]
    [InlineData("separate", "separate")]
    public void A_value_may_follow_the_learning_rate(string value, string resolved)
        => Assert.Equal(resolved, RateExpression.Resolve(value, 0.002));
}
