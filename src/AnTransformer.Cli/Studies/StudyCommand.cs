using System.CommandLine;
using AnTransformer.Cli.Commands;
using AnTransformer.Cli.Configurations;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Studies;

/// <summary>
/// What the commands of studies share: a configuration file, every field of which is an option too, and <c>--set</c>
/// for fields of runs.
/// </summary>
internal static class StudyCommand
{
    private const string Ending =
        "\nRuns are training runs in OUTPUT/runs. The same command goes on where it was stopped; finished runs are not "
            + "repeated.";

    public static Command Create<T>(string name, string description, StudyKind<T> kind)
        where T : StudyConfiguration, new()
    {
        var config = new Argument<string>("config")
        {
            Description = "A YAML configuration of the study; relative to here, or one of the tool's own in "
                + "configs/studies.",
            DefaultValueFactory = _ => $"configs/studies/{kind.Name}.yaml",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "A field of the training configuration that all runs have, as key=value; may be given "
                + "several times.",
            HelpName = "key=value",
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Print the runs and what they would cost; train nothing.",
        };
        var json = SharedOptions.Json();
        var command = new Command(name, description + Ending) { config, set, dryRun, json };
        var fields = FieldOptions.AddTo(command, typeof(T));
        command.SetAction(parsed =>
        {
            var path = BundledFiles.Find(parsed.GetRequiredValue(config));
            var settings = ConfigurationBinder.Load<T>(path, FieldOptions.Overrides(parsed, fields), out var placeOf);
            var fieldsOfRuns = (parsed.GetValue(set) ?? []).Select(Parse).ToList();
            var baseConfiguration = new BaseConfiguration(settings, placeOf, fieldsOfRuns, BundledFiles.Find);
            using var stop = new StopSignal(StopWords.Study);
            if (parsed.GetValue(dryRun))
                return DryRun.Print(
                    kind.Create(settings, baseConfiguration, new StudyData(listener: null, stop.Token)),
                    parsed.GetValue(json));
            using var display = StudyDisplay.Create();
            // Planned first: what cannot be run should not leave a directory behind.
            var study = StudyPlanning.Plan(
                data => kind.Create(settings, baseConfiguration, data), display.Preparation, stop.Token);
            var directory = StudyDirectory.Open(settings.Output);
            return StudySession.Run(study, directory, display, parsed.GetValue(json), stop.Token);
        });
        return command;
    }

    private static (string Key, string Value, string Place) Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? (text[..equals], text[(equals + 1)..], $"--set {text[..equals]}")
            : throw new InvalidInputException(
                $"--set: '{Printable.Excerpt(text)}' is not of the form key=value, such as model.hidden_size=64.");
    }
}
