using AnTransformer.Architectures;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Display;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    public static string Count(double value) => value switch
    {
        >= 1e12 => $"{value / 1e12:f2} T",
        >= 1e9 => $"{value / 1e9:f2} G",
        >= 1e6 => $"{value / 1e6:f2} M",
        >= 1e4 => $"{value / 1e3:f1} k",
        _ => $"{value:f0}",
    };

    public static string Time(TimeSpan time) => time switch
    {
        { TotalHours: >= 1 } => $"{(int)time.TotalHours}h{time.Minutes:d2}m",
        { TotalMinutes: >= 1 } => $"{time.Minutes}m{time.Seconds:d2}s",
        _ => $"{time.TotalSeconds:f0}s",
    };

    /// <summary>What an evaluation found besides the loss.</summary>
    public static string BesideLoss(EvaluationResult result)
        => result.MaskedAccuracy is { } accuracy ? $"{accuracy:p2} of masked tokens right"
            : result.BitsPerByte is { } bits ? $"{bits:f4} bits per byte"
            : "bytes unknown";

    /// <summary>One line that says what is about to be trained.</summary>
    public static string Describe(TrainingPlan plan)
    {
        var model = plan.Model;
        return $"{model.Architecture}: d = {model.HiddenSize}, L = {model.NumHiddenLayers}, H = "
            + $"{model.NumAttentionHeads}, "
            + $"f = {model.IntermediateSize}, T = {model.MaxPositionEmbeddings}, V = {model.VocabSize}: "
            + $"{Count(ModelCost.Parameters(model))} parameters; "
            + $"{plan.Steps} steps of {plan.TokensPerStep} tokens, {Count(plan.Steps * (double)plan.TokensPerStep)} "
            + "tokens in all";
    }
}
