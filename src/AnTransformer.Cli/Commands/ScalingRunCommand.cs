using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Cli.Studies;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt scaling run</c>: a ladder of sizes and budgets, each tuned, for <c>angpt scaling fit</c>.
/// </summary>
internal static class ScalingRunCommand
{
    public static Command Create() => StudyCommand.Create(
        "run",
        "Train a ladder of sizes and token budgets, each at its own tuned learning rate. "
            + "`angpt scaling fit OUTPUT/runs.csv --group side --flops flops --learning-rate learning_rate` fits the "
            + "laws.",
        ConfigurationKinds.Scaling);
}
