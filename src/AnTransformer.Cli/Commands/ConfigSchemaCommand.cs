using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using AnTransformer.Cli.Configurations;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt config schema</c>: what editors need to complete and check configurations as they are typed.
/// </summary>
internal static class ConfigSchemaCommand
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create()
    {
        var kind = ConfigurationKinds.Option("What the files are for; train without it.");
        var command = new Command(
            "schema",
            "Print a JSON Schema (draft 2020-12) of configuration files, for completion and checks in editors.\n"
            + "Written to angpt.schema.json, it is named at the top of a file so: # yaml-language-server: "
            + "$schema=angpt.schema.json")
        {
            kind,
        };
        command.SetAction(parsed =>
        {
            var chosen = parsed.GetValue(kind) ?? ConfigurationKinds.Train;
            var schema = ConfigurationBinder.Schema(chosen.Type, $"Configuration for `{chosen.Command}`");
            Console.WriteLine(schema.ToJsonString(Indented));
            return ExitCodes.Success;
        });
        return command;
    }
}
