using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using AnTransformer.Cli.Commands;
using AnTransformer.Cli.Help;
using AnTransformer.Cli.Streams;
using AnTransformer.Distributed;
using AnTransformer.Native;

namespace AnTransformer.Cli;

/// <summary>
/// The command tree and its error handling. Nothing here touches LibTorch, so that help and errors come at once.
/// </summary>
internal static class CommandLine
{
    /// <summary>
    /// Runs a command and returns the exit code, which no fault of the standard streams can change for another or lose.
    /// </summary>
    public static int Run(string[] args)
    {
        try
        {
            StandardStreams.Install();
            // On a thread of its own nothing else could catch it, and the process would abort with a stack trace.
            AppDomain.CurrentDomain.UnhandledException += (_, e)
                => Environment.Exit(
                    e.ExceptionObject is Exception unhandled ? FailSafely(unhandled) : ExitCodes.InternalError);
            return WithOutput(Invoke(args));
        }
        catch (Exception e)
        {
            return FailSafely(e);
        }
    }

    /// <summary>The commands in the order of the help page.</summary>
    private static readonly (string Name, Func<Command> Create)[] Factories =
    [
        ("train", TrainCommand.Create),
        (LaunchCommand.Name, LaunchCommand.Create),
        ("config", ConfigCommand.Create),
        ("prepare", PrepareCommand.Create),
        ("tokenizer", TokenizerCommand.Create),
        ("eval", EvalCommand.Create),
        ("inspect", InspectCommand.Create),
        ("generate", GenerateCommand.Create),
        ("score", ScoreCommand.Create),
        ("serve", ServeCommand.Create),
        ("export", ExportCommand.Create),
        ("import", ImportCommand.Create),
        ("info", InfoCommand.Create),
        ("bench", BenchCommand.Create),
        ("scale", ScaleCommand.Create),
        ("compare", CompareCommand.Create),
        ("sweep", SweepCommand.Create),
        ("batch-size", BatchSizeCommand.Create),
        ("ablate", AblateCommand.Create),
        ("scaling", ScalingCommand.Create),
    ];

    /// <summary>The tree of commands.</summary>
    /// <param name="name">
    /// The one to make, since most of a short command's time would go into the others' options; all, if it is not one.
    /// </param>
    internal static RootCommand Commands(string? name = null)
    {
        var root = new RootCommand(
            "angpt trains, evaluates and samples approximately normalized transformers (arXiv 2505.22014).\n"
            + "`angpt train` alone trains on the bundled novels of Jane Austen.");
        var named = Factories.Where(factory => factory.Name == name).ToArray();
        foreach (var (_, create) in named.Length > 0 ? named : Factories)
            root.Subcommands.Add(create());
        root.Options.OfType<HelpOption>().Single().Action = new HelpPageAction();
        OptionNames.AcceptUnderscores(root);
        return root;
    }

    private static int Invoke(string[] args)
    {
        // A text that begins with @ is a text here, not a file of further arguments.
        var parsed = Commands(args.FirstOrDefault()).Parse(
            args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 || Misplaced(parsed).Any())
            throw new InvalidInputException(Describe(parsed));
        var arguments = parsed.CommandResult.Children.OfType<ArgumentResult>();
        if (arguments.FirstOrDefault(
            result => result.Tokens.Any(token => string.IsNullOrWhiteSpace(token.Value))) is { } empty)
            throw new InvalidInputException(
                $"<{empty.Argument.Name}> is empty; see `{PathOf(parsed.CommandResult)} --help`.");
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    /// <summary>
    /// The exit code when results may not have been written: the command's own if it tells of a fault, else that of bad
    /// input.
    /// </summary>
    private static int WithOutput(int code)
    {
        if (StandardStreams.OutputFailure is not { } failure || code != ExitCodes.Success)
            return code;
        ErrorLines.Write(
            $"standard output cannot be written ({failure}); what was to be printed is lost, so send it elsewhere and "
                + "run the command again.");
        return ExitCodes.InvalidInput;
    }

    private static int FailSafely(Exception exception)
    {
        try
        {
            return Fail(exception);
        }
        catch (Exception)
        {
            // Not even the message could be made, for want of memory or open files.
            return ExitCodes.InternalError;
        }
    }

    /// <summary>Says what is wrong in one sentence and returns the exit code that tells of it.</summary>
    internal static int Fail(Exception exception)
    {
        AwaitFirstRank();
        switch (exception)
        {
            case AggregateException { InnerException: { } inner }:
                return Fail(inner);
            case TypeInitializationException { InnerException: { } inner }:
                return Fail(inner);
            case OperationCanceledException:
                ErrorLines.Write("stopped.");
                return ExitCodes.Stopped;
            case var _ when IsForWantOfFiles(exception):
                ErrorLines.Write(OpenFileLimit.Complaint);
                return ExitCodes.InvalidInput;
            case OutOfMemoryException or ExternalException when IsOutOfMemory(exception):
                ErrorLines.Write(
                    "this machine has not enough memory for that; choose a smaller model, a smaller batch or a shorter "
                        + "context.");
                return ExitCodes.InvalidInput;
            case InvalidInputException or LibTorchLoadException or IOException or UnauthorizedAccessException:
                ErrorLines.Write(exception.Message);
                return ExitCodes.InvalidInput;
            default:
                ErrorLines.Write($"internal error: {FirstLine(exception.Message)} (set ANGPT_DEBUG=1 for details)");
                if (Environment.GetEnvironmentVariable("ANGPT_DEBUG") == "1")
                    Console.Error.WriteLine(Printable.Lines(exception.ToString()));
                return ExitCodes.InternalError;
        }
    }

    /// <summary>
    /// In a job of several processes what is wrong with all of them is said once, by the first: the launcher ends the
    /// others before this returns.
    /// </summary>
    private static void AwaitFirstRank()
    {
        try
        {
            if (LaunchEnvironment.Find(Environment.GetEnvironmentVariable) is { Rank: > 0 })
                Thread.Sleep(TimeSpan.FromSeconds(2));
        }
        catch (InvalidInputException)
        {
            // No job.
        }
    }

    /// <summary>Whether the limit of open files is behind an error: it says so, or the limit is reached.</summary>
    private static bool IsForWantOfFiles(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is IOException && cause.HResult == Descriptor.TooManyOpen)
                return true;
        }

        return exception is not InvalidInputException && OpenFileLimit.IsReached;
    }

    /// <summary>.NET's own error, or LibTorch's, which has no type for it.</summary>
    private static bool IsOutOfMemory(Exception exception)
        => exception is OutOfMemoryException
            || exception.Message.Contains("can't allocate memory", StringComparison.Ordinal)
            || exception.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    /// <summary>Options that a command does not have, and took for its arguments.</summary>
    private static IEnumerable<string> Misplaced(ParseResult parsed)
        => parsed.CommandResult.Command.Name == LaunchCommand.Name
            ? []
            : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens)
            .Select(token => token.Value).Where(IsOption);

    private static bool IsOption(string token)
        => token.Length > 1 && token[0] == '-' && (token[1] == '-' || char.IsAsciiLetter(token[1]))
            && !Path.Exists(token);

    private static string FirstLine(string message) => message.Split('\n')[0].TrimEnd();

    private static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"`{PathOf(parsed.CommandResult)} --help`";
        // A misspelled option before a positional argument is taken for that argument, and its value is what is left
        // over.
        var unknown = Misplaced(parsed).Concat(parsed.UnmatchedTokens.Where(IsOption)).Concat(parsed.UnmatchedTokens)
            .FirstOrDefault();
        if (unknown is null)
            return $"{Printable.Excerpt(parsed.Errors[0].Message.TrimEnd('.'), longest: 300)}; see {help}.";
        var name = unknown.Split('=')[0];
        if (IsOption(unknown))
            return $"unknown option '{Printable.Excerpt(name)}'{OptionNames.Suggestion(command, name)} (see {help})";
        var near = NearestName.Of(name, command.Subcommands.Select(sub => sub.Name));
        return $"unknown argument '{Printable.Excerpt(name)}'{(near is null ? "" : $"; did you mean '{near}'?")} (see "
            + $"{help})";
    }

    /// <summary>A command as it is typed, with the names of those above it.</summary>
    public static string PathOf(CommandResult result)
        => result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "angpt";
}
