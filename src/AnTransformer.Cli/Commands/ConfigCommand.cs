using System.CommandLine;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt config</c>: configurations looked at, checked and described, with nothing trained.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var command = new Command(
            "config", "Configurations: show what a file means, check files, describe them to an editor.");
        command.Subcommands.Add(ConfigShowCommand.Create());
        command.Subcommands.Add(ConfigCheckCommand.Create());
        command.Subcommands.Add(ConfigSchemaCommand.Create());
        return command;
    }
}
