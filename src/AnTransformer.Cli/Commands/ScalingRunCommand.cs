using System.CommandLine;
using AnTransformer.Cli.Studies;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Ladders;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt scaling run</c>: a ladder of sizes and budgets, each tuned, for <c>angpt scaling fit</c>.</summary>
internal static class ScalingRunCommand
{
    public static Command Create() => StudyCommand.Create<ScalingConfiguration>(
        "run",
        "Train a ladder of sizes and token budgets, each at its own tuned learning rate. "
            + "`angpt scaling fit OUTPUT/runs.csv --group side --flops flops --learning-rate learning_rate` fits the laws.",
        "scaling",
        (settings, baseConfiguration, data) => new ScalingStudy(settings, baseConfiguration, data));
}
