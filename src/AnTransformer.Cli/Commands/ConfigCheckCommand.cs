using System.CommandLine;
using AnTransformer.Cli.Configurations;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt config check</c>: whether files can be run, without data and without training.</summary>
internal static class ConfigCheckCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "YAML configurations of training or of studies, relative to here or the tool's own.",
            Arity = ArgumentArity.OneOrMore,
        };
        var kind = ConfigurationKinds.Option("What the files are for; without it, what the keys in each are of.");
        var command = new Command(
            "check",
            "Check configurations, a line each: keys, types, ranges, and values that do not fit together. Nothing is "
                + "trained, and no data is read "
            + "or prepared. The exit code is 2 if one of them cannot be used.")
        {
            files, kind,
        };
        command.SetAction(parsed =>
        {
            var areValid = parsed.GetRequiredValue(files).Select(file => Check(file, parsed.GetValue(kind))).ToList();
            return areValid.TrueForAll(isValid => isValid) ? ExitCodes.Success : ExitCodes.InvalidInput;
        });
        return command;
    }

    private static bool Check(string file, ConfigurationKind? kind)
    {
        var path = BundledFiles.Find(file);
        try
        {
            var kinds = kind is null ? ConfigurationKinds.Of(path) : [kind];
            Console.WriteLine(
                $"{Printable.Line(file)}: valid for "
                    + $"{string.Join(" and ", Usable(path, kinds).Select(item => $"`{item.Command}`"))}");
            return true;
        }
        catch (InvalidInputException e)
        {
            ErrorLines.Write(e.Message);
            return false;
        }
    }

    /// <summary>The kinds as which a file can be run.</summary>
    /// <exception cref="InvalidInputException">
    /// There is none; the message is of the kind that the file most probably is.
    /// </exception>
    private static List<ConfigurationKind> Usable(string path, IReadOnlyList<ConfigurationKind> kinds)
    {
        var usable = new List<ConfigurationKind>();
        InvalidInputException? first = null;
        foreach (var kind in kinds)
        {
            try
            {
                kind.Check(path);
                usable.Add(kind);
            }
            catch (InvalidInputException e)
            {
                first ??= e;
            }
        }

        return usable.Count > 0 ? usable : throw first!;
    }
}
