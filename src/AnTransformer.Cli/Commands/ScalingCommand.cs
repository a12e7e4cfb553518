using System.CommandLine;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt scaling</c>: how the loss falls with parameters, tokens and compute.</summary>
internal static class ScalingCommand
{
    public static Command Create()
    {
        var command = new Command("scaling", "Scaling laws: train a ladder of sizes, fit laws to any table of runs.");
        command.Subcommands.Add(ScalingRunCommand.Create());
        command.Subcommands.Add(ScalingFitCommand.Create());
        return command;
    }
}
