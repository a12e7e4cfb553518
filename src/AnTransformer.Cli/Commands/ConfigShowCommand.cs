using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt config show</c>: a configuration as YAML, what differs from the defaults or everything.</summary>
internal static class ConfigShowCommand
{
    public static Command Create()
    {
        var file = new Argument<string?>("file")
        {
            Description = "A YAML configuration, relative to here or one of the tool's own; without it, the defaults.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var all = new Option<bool>("--all")
        {
            Description = "Every field, with its meaning, the values it may have, its default, and what that is for "
                + "this model.",
        };
        var kind = ConfigurationKinds.Option(
            "What the file is for; without it, what the keys in the file are of, and train for the defaults.");
        var command = new Command(
            "show",
            "Print a configuration as YAML that can be used as a file: the values that differ from the defaults.\n"
            + "Every field is an option here as it is for the command that the file is for, such as --learning-rate "
            + "1e-3.")
        {
            file, all, kind,
        };
        var fields = FieldOptions.AddHidden(command, ConfigurationKinds.All.Select(item => item.Type));
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file) is { } given ? BundledFiles.Find(given) : null;
            var chosen = parsed.GetValue(kind)
                ?? (path is null ? ConfigurationKinds.Train : ConfigurationKinds.Of(path)[0]);
            var overrides = FieldOptions.Overrides(parsed, fields);
            var configuration = path is null ? chosen.Defaults(overrides) : chosen.Load(path, overrides);
            Console.Write(
                parsed.GetValue(all) ? Everything(chosen, configuration) : Differences(chosen, configuration));
            return ExitCodes.Success;
        });
        return command;
    }

    private static string Everything(ConfigurationKind kind, object configuration)
        => $"# Every field of a configuration for `{kind.Command}`.\n\n"
            + ConfigurationBinder.Write(kind.Resolve(configuration), configuration);

    private static string Differences(ConfigurationKind kind, object configuration)
        => $"# For `{kind.Command}`: what differs from the defaults. --all shows every field.\n"
            + ConfigurationBinder.WriteDifferences(configuration);
}
