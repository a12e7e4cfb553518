using System.CommandLine;
using System.Text.RegularExpressions;
using AnTransformer.Cli.Commands;
using AnTransformer.Cli.Help;
using AnTransformer.Studies.Configuration;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Tests;

public sealed partial class HelpTests
{
    private static readonly Dictionary<string, Type> Configurations = new()
    {
        ["angpt train"] = typeof(TrainingConfiguration),
        ["angpt compare"] = typeof(CompareConfiguration),
        ["angpt sweep"] = typeof(SweepConfiguration),
        ["angpt batch-size"] = typeof(BatchSizeConfiguration),
        ["angpt ablate"] = typeof(AblateConfiguration),
        ["angpt scaling run"] = typeof(ScalingConfiguration),
    };

    public static TheoryData<string> WithFields => new(Configurations.Keys);

    public static TheoryData<int> Widths => new(20, 40, 63, 64, 80, 120);

    [Theory]
    [MemberData(nameof(Widths))]
    public void No_line_of_any_command_s_help_is_longer_than_the_width(int width)
    {
        var commands = All().ToList();
        Assert.True(commands.Count > 15, $"{commands.Count} commands");
        foreach (var (path, command) in commands)
        {
            var lines = HelpPage.Lines(command, path, width);
            Assert.True(lines.Count > 5, path);
            Assert.All(lines, line => Assert.True(line.Length <= width, $"{path}: {line}"));
            // Nothing is lost on the way: every word of the description is there, cut or not.
            Assert.Contains(Bare(command.Description!), Bare(string.Concat(lines)), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(WithFields))]
    public void Each_field_is_listed_once_under_one_name_with_key_range_and_default(string path)
    {
        var command = All().Single(item => item.Path == path).Command;
        var lines = HelpPage.Lines(command, path, width: 100_000);
        foreach (var field in ConfigurationBinder.Fields(Configurations[path]))
        {
            var line = Assert.Single(lines, line => line.Contains($"[{field.Key}; ", StringComparison.Ordinal));
            Assert.Contains($"; default {ConfigurationBinder.Text(field.Default)}]", line, StringComparison.Ordinal);
            Assert.Contains(field.Range ?? "", line, StringComparison.Ordinal);
        }

        // Of all names one: no underscores, and none twice.
        var names = lines.Select(line => OptionAtStart().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.DoesNotContain(names, name => name.Contains('_', StringComparison.Ordinal));
        Assert.Equal(command.Options.Count(option => !option.Hidden), names.Count - RecursiveOptions);
        Assert.DoesNotContain(lines, line => line.Split("--").Length > 2 && OptionAtStart().Match(line) is { Success: true } match
            && line[..Math.Min(line.Length, 28)].Contains($"{match.Groups["name"].Value}, --", StringComparison.Ordinal));
    }

    [Fact]
    public void Fields_stand_under_the_headings_of_their_sections()
    {
        var lines = HelpPage.Lines(All().Single(item => item.Path == "angpt train").Command, "angpt train", width: 80).ToList();
        var sections = ConfigurationBinder.Fields(typeof(TrainingConfiguration)).Select(field => field.SectionName).Distinct().ToList();
        var headings = sections.ConvertAll(section => lines.FindIndex(line => line.StartsWith($"{section}: ", StringComparison.Ordinal)));
        Assert.DoesNotContain(-1, headings);
        Assert.Equal(headings.Order(), headings);
        var rate = lines.FindIndex(line => line.StartsWith("  --learning-rate ", StringComparison.Ordinal));
        Assert.InRange(rate, headings[sections.IndexOf("optimizer")], headings[sections.IndexOf("schedule")]);
    }

    [Theory]
    [MemberData(nameof(WithFields))]
    public void Every_spelling_of_a_field_sets_it(string path)
    {
        var words = path.Split(' ')[1..];
        var fields = ConfigurationBinder.Fields(Configurations[path]);
        foreach (var field in fields)
        {
            List<string> spellings = [field.Key];
            if (fields.Count(other => other.Name == field.Name) == 1)
                spellings.Add(field.Name);
            foreach (var spelling in spellings.SelectMany(key => new[] { key, key.Replace('_', '-') }).Distinct())
            {
                var parsed = CommandLine.Commands().Parse([.. words, "--" + spelling, "7"]);
                Assert.Empty(parsed.Errors);
                var given = Assert.Single(parsed.CommandResult.Command.Options.OfType<FieldOption>(), option => parsed.GetResult(option) is not null);
                Assert.Equal(field.Key, given.Field.Key);
                Assert.Equal("7", parsed.GetValue(given));
            }
        }
    }

    [Fact]
    public void Underscores_stand_for_hyphens_in_every_command()
    {
        foreach (var (path, command) in All().Where(item => item.Command.Subcommands.Count == 0))
        {
            foreach (var option in command.Options.Where(option => option is not FieldOption && option.Name.Contains('-', StringComparison.Ordinal)))
                Assert.True(option.Name.LastIndexOf('-') < 2 || option.Aliases.Contains("--" + option.Name[2..].Replace('-', '_')), $"{path} {option.Name}");
        }
    }

    [Theory]
    [InlineData("train", "--lerning-rate", "did you mean '--learning-rate'?")]
    [InlineData("train", "--optimizer.lerning_rate", "did you mean '--learning-rate'?")]
    [InlineData("train", "--layers", "did you mean '--num-hidden-layers'?")]
    [InlineData("train", "-steps", "did you mean '--steps'?")]
    [InlineData("train", "--interval", "--evaluation.interval, --checkpoint.interval, --logging.interval, --inspection.interval")]
    [InlineData("compare", "--learning-rate", "did you mean '--learning-rates'?")]
    [InlineData("bench", "--hiden_size", "did you mean '--hidden-size'?")]
    [InlineData("eval", "--zzz", "unknown option '--zzz' (see `angpt eval --help`)")]
    public void An_unknown_option_is_answered_with_the_one_name_that_help_shows(string command, string option, string fragment)
    {
        using var angpt = new Angpt();
        angpt.Run(command, option, "3").AssertRejected(fragment);
    }

    [Fact]
    public void Exit_codes_are_listed_once_by_the_tool_s_own_help_alone()
    {
        foreach (var (path, command) in All())
        {
            var text = string.Join('\n', HelpPage.Lines(command, path, width: 1000));
            Assert.Equal(path == "angpt" ? 1 : 0, Regex.Count(text, "training diverged; the last good", RegexOptions.None, TimeSpan.FromSeconds(1)));
            Assert.DoesNotContain("Exit codes: 0", text, StringComparison.Ordinal);
        }

        var readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        Assert.All(ExitCodes.Meanings, code => Assert.Contains($"| {code.Code} |", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void Help_comes_without_the_arguments_that_a_command_requires_and_is_wrapped_for_a_pipe()
    {
        using var angpt = new Angpt();
        foreach (var (path, command) in All().Where(item => item.Path is "angpt prepare" or "angpt train" or "angpt scaling fit"))
        {
            var output = angpt.Run([.. path.Split(' ')[1..], "--help"]).AssertSucceeded().Output;
            Assert.Equal(HelpPage.Lines(command, path, width: 80), output.TrimEnd('\n').Split('\n'));
        }
    }

    private const int RecursiveOptions = 1;     // --help belongs to the root

    [Fact]
    public void A_command_made_alone_is_the_one_of_the_tree()
    {
        foreach (var command in CommandLine.Commands().Subcommands)
        {
            var alone = Assert.Single(CommandLine.Commands(command.Name).Subcommands);
            Assert.Equal(command.Name, alone.Name);
            Assert.Equal(command.Options.Select(option => option.Name), alone.Options.Select(option => option.Name));
        }

        Assert.Equal(
            CommandLine.Commands().Subcommands.Count, CommandLine.Commands("no-such-command").Subcommands.Count);
    }

    private static IEnumerable<(string Path, Command Command)> All() => Under("angpt", CommandLine.Commands());

    private static IEnumerable<(string Path, Command Command)> Under(string path, Command command)
        => command.Subcommands.SelectMany(inner => Under($"{path} {inner.Name}", inner)).Prepend((path, command));

    private static string Bare(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    [GeneratedRegex(@"^  (-[a-z], )?(?<name>--[^ ]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OptionAtStart();
}
