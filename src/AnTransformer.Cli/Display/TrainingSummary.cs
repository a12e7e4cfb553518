using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Display;

/// <summary>What a run ends with, on standard output.</summary>
internal static class TrainingSummary
{
    public static void Print(TrainingConfiguration configuration, TrainingOutcome outcome)
    {
        if (outcome.Evaluation is { } evaluation)
        {
            var token = evaluation.MaskedAccuracy is null ? "token" : "masked token";
            Console.WriteLine($"validation loss  {evaluation.Loss:f4} nats per {token}");
            if (evaluation.MaskedAccuracy is { } accuracy)
                Console.WriteLine($"masked accuracy  {accuracy:p2}");
            if (evaluation.BitsPerByte is { } bits)
                Console.WriteLine($"bits per byte    {bits:f4}");
        }

        if (outcome.Sample is { } sample)
            Console.WriteLine($"\nsample\n{Printable.Lines(sample)}\n");
        Console.WriteLine(
            $"steps            {outcome.State.Step} ({Figures.Count(outcome.State.Tokens)} tokens, "
                + $"{Figures.Time(TimeSpan.FromSeconds(outcome.State.ElapsedSeconds))})");
        if (outcome.TokensPerSecond > 0)
            Console.WriteLine($"speed            {outcome.TokensPerSecond:f0} tokens/s");
        if (outcome.Checkpoint is { } checkpoint)
            Console.WriteLine($"checkpoint       {Relative(checkpoint)}");
        if (outcome.PlotPath is { } plot)
            Console.WriteLine($"loss plot        {Relative(plot)}");
        if (outcome is { Status: TrainingStatus.Completed, TokensPerSecond: 0 })
        {
            Console.WriteLine(
                $"This run was complete already; to train it further: angpt train {configuration.Training.Output} "
                    + "--steps N; to train anew, remove "
                + "the directory or give another --output.");
        }
    }

    public static void PrintJson(TrainingConfiguration configuration, TrainingOutcome outcome)
        => JsonOutput.Print(new
        {
            Status = outcome.Status.ToString().ToLowerInvariant(),
            outcome.Reason,
            outcome.State.Step,
            outcome.State.Tokens,
            outcome.State.ElapsedSeconds,
            outcome.TokensPerSecond,
            ValLoss = outcome.Evaluation?.Loss,
            outcome.Evaluation?.BitsPerByte,
            outcome.Evaluation?.MaskedAccuracy,
            outcome.Sample,
            outcome.Checkpoint,
            Plot = outcome.PlotPath,
            configuration.Training.Output,
        });

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
