using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Tests;

public sealed class ResolvedConfigurationTests
{
    // Fields whose null means that there is nothing, not that a default applies. A new nullable field belongs here only in that case;
    // in the other, ResolvedConfiguration must give it its value.
    private static readonly HashSet<string> MayBeNull =
    [
        "tokenizer.path", "tokenizer.end_of_text", "training.steps", "training.max_tokens", "training.max_minutes", "training.from", "evaluation.task_data", "evaluation.sample_prompt",
        "model.sliding_window",
    ];

    public static TheoryData<string, string> Kinds
    {
        get
        {
            var kinds = new TheoryData<string, string>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var rule in UpdateRuleRegistry.Names)
                    kinds.Add(architecture, rule);
            }

            return kinds;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_null_stands_for_a_default_any_more(string architecture, string kind)
    {
        var given = new TrainingConfiguration { Model = { Architecture = architecture }, Optimizer = { Kind = kind }, Training = { Steps = 30 } };
        var before = ConfigurationBinder.Write(given);
        var resolved = ResolvedConfiguration.Of(given);
        Assert.Equal(before, ConfigurationBinder.Write(given));
        Assert.DoesNotContain(
            ConfigurationBinder.Fields(typeof(TrainingConfiguration)),
            field => field.Get(resolved) is null && !MayBeNull.Contains(field.Key));
        Assert.NotEmpty(ResolvedConfiguration.Unresolved(given));
        Assert.Empty(ResolvedConfiguration.Unresolved(resolved));
        Assert.Equal(TrainingPlan.Create(given, 300), TrainingPlan.Create(resolved, 300));
        // Written and read it is the same: no resolved value is outside of its field's range or loses digits.
        var read = ConfigurationBinder.Parse<TrainingConfiguration>(
            ConfigurationBinder.Write(resolved), "config.yaml", [("data.path", "data")]);
        Assert.Equal(TrainingPlan.Create(given, 300), TrainingPlan.Create(read, 300));
    }

    [Fact]
    public void What_is_given_stays()
    {
        var given = new TrainingConfiguration
        {
            Model = { AlphaInit = 0.03, QkNorm = false, Constraint = RowConstraint.None, IntermediateSize = 100 },
            Data = { Text = ["a", "b"] },
            Optimizer = { SpectralClip = 0, WeightDecay = 0.3 },
            Schedule = { WarmupSteps = 7 },
            Training = { MaxTokens = 1 << 20 },
        };
        var resolved = ResolvedConfiguration.Of(given);
        Assert.Equal((0.03, false, RowConstraint.None, 100), (resolved.Model.AlphaInit, resolved.Model.QkNorm, resolved.Model.Constraint, resolved.Model.IntermediateSize));
        Assert.Equal((0.0, 0.3, 7L), (resolved.Optimizer.SpectralClip, resolved.Optimizer.WeightDecay, resolved.Schedule.WarmupSteps));
        Assert.Equal((null, 1L << 20), (resolved.Training.Steps, resolved.Training.MaxTokens));
        Assert.Equal(given.Data.Text, resolved.Data.Text);
        Assert.NotSame(given.Data.Text, resolved.Data.Text);
    }
}
