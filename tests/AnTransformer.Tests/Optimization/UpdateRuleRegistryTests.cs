using AnTransformer.Optimization;

namespace AnTransformer.Tests.Optimization;

public sealed class UpdateRuleRegistryTests
{
    [Fact]
    public void Rules_are_found_by_name_in_any_case()
    {
        Assert.Equal(["adam", "muon", "lion"], UpdateRuleRegistry.Names);
        Assert.Equal(new LionRule(0.9, 0.99), UpdateRuleRegistry.Get("LION"));
        Assert.Equal(new AdamWRule(0.9, 0.95, 1e-8), UpdateRuleRegistry.Get("adam"));
    }

    [Fact]
    public void An_unknown_name_is_refused_with_the_list_of_rules()
        => Assert.Equal(
            "optimizer.kind 'loin' is unknown (did you mean 'lion'?); it must be one of adam, muon, lion.",
            Assert.Throws<InvalidInputException>(() => UpdateRuleRegistry.Get("loin", "optimizer.kind")).Message);

    [Fact]
    public void A_programs_own_rule_is_found_by_its_name_once_it_is_registered()
    {
        var rule = new DirectionRuleTests.MomentumRule(0.9);
        UpdateRuleRegistry.Register(rule);
        try
        {
            Assert.Same(rule, UpdateRuleRegistry.Get("momentum"));
            Assert.Equal("momentum", UpdateRuleRegistry.Names[^1]);
            Assert.Throws<ArgumentException>(() => UpdateRuleRegistry.Register(new DirectionRuleTests.MomentumRule(0.5)));
        }
        finally
        {
            UpdateRuleRegistry.Remove(rule);
        }
    }

    [Fact]
    public void A_rule_takes_the_constants_it_has_and_keeps_its_own_for_the_rest()
    {
        var given = new RuleSettings(Beta2: 0.98, Epsilon: 1e-6, MatrixRateFactor: 5);
        Assert.Equal(new AdamWRule(0.9, 0.98, 1e-6), new AdamWRule().With(given));
        Assert.Equal(new LionRule(0.9, 0.98), new LionRule().With(given));
        Assert.Equal(new MuonRule(5, 0.95) { Others = new AdamWRule(0.9, 0.98, 1e-6) }, new MuonRule().With(given));
        Assert.All(UpdateRuleRegistry.All, rule => Assert.Equal(rule, rule.With(rule.Settings)));
    }
}
