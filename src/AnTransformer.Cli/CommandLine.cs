using System.CommandLine;
using System.CommandLine.Parsing;
using AnTransformer.Cli.Commands;
using AnTransformer.Native;

namespace AnTransformer.Cli;

/// <summary>The command tree and its error handling. Nothing here touches LibTorch, so that help and errors come at once.</summary>
internal static class CommandLine
{
    public static int Run(string[] args)
    {
        var root = new RootCommand(
            "angpt trains, evaluates and samples approximately normalized transformers (arXiv 2505.22014).\n"
            + "`angpt train` alone trains on the bundled novels of Jane Austen.");
        root.Subcommands.Add(TrainCommand.Create());
        root.Subcommands.Add(PrepareCommand.Create());
        root.Subcommands.Add(TokenizerCommand.Create());
        root.Subcommands.Add(EvalCommand.Create());
        root.Subcommands.Add(InspectCommand.Create());
        root.Subcommands.Add(GenerateCommand.Create());
        root.Subcommands.Add(ScoreCommand.Create());
        root.Subcommands.Add(InfoCommand.Create());
        root.Subcommands.Add(BenchCommand.Create());
        root.Subcommands.Add(CompareCommand.Create());
        root.Subcommands.Add(SweepCommand.Create());
        root.Subcommands.Add(BatchSizeCommand.Create());
        root.Subcommands.Add(AblateCommand.Create());
        root.Subcommands.Add(ScalingCommand.Create());

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0 || parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Any(token => IsOption(token.Value)))
            return Fail(Describe(parsed));
        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e)
        {
            return Fail(e);
        }
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine("angpt: " + message);
        return ExitCodes.InvalidInput;
    }

    private static int Fail(Exception exception)
    {
        switch (exception)
        {
            case AggregateException { InnerException: { } inner }:
                return Fail(inner);
            case TypeInitializationException { InnerException: { } inner }:
                return Fail(inner);
            case OperationCanceledException:
                Console.Error.WriteLine("angpt: stopped.");
                return ExitCodes.Stopped;
            case InvalidInputException or LibTorchLoadException:
                return Fail(exception.Message);
            case IOException or UnauthorizedAccessException:
                return Fail(exception.Message.ReplaceLineEndings(" "));
            default:
                Console.Error.WriteLine($"angpt: internal error: {FirstLine(exception.Message)} (set ANGPT_DEBUG=1 for details)");
                if (Environment.GetEnvironmentVariable("ANGPT_DEBUG") == "1")
                    Console.Error.WriteLine(exception);
                return ExitCodes.InternalError;
        }
    }

    private static bool IsOption(string token) => token.StartsWith("--", StringComparison.Ordinal);

    private static string FirstLine(string message) => message.Split('\n')[0].TrimEnd();

    private static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = CommandPath(parsed.CommandResult);
        // A misspelled option before a positional argument is taken for that argument, and its value is what is left over.
        var unknown = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Select(token => token.Value)
                .Concat(parsed.UnmatchedTokens).FirstOrDefault(IsOption) ?? (parsed.UnmatchedTokens is [var first, ..] ? first : null);
        if (unknown is null)
            return $"{FirstLine(parsed.Errors[0].Message).TrimEnd('.')}; see `{path} --help`.";
        var isOption = IsOption(unknown);
        var name = unknown.Split('=')[0];
        var candidates = isOption
            ? command.Options.SelectMany(option => option.Aliases.Append(option.Name))
            : command.Subcommands.Select(sub => sub.Name);
        var near = NearestName.Of(name, candidates);
        return $"unknown {(isOption ? "option" : "argument")} '{name}'{(near is null ? "" : $"; did you mean '{near}'?")} (see `{path} --help`)";
    }

    private static string CommandPath(CommandResult result)
        => result.Parent is CommandResult parent ? $"{CommandPath(parent)} {result.Command.Name}" : "angpt";
}
