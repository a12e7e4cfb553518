using System.CommandLine;
using System.CommandLine.Invocation;

namespace AnTransformer.Cli.Help;

/// <summary>Answers <c>--help</c>.</summary>
internal sealed class HelpPageAction : SynchronousCommandLineAction
{
    private const int WithoutTerminal = 80;
    private const int Narrowest = 20;
    private const int Widest = 120;     // longer lines are hard to read

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        foreach (var line in HelpPage.Lines(
            parseResult.CommandResult.Command, CommandLine.PathOf(parseResult.CommandResult), Width()))
            Console.WriteLine(line);
        return ExitCodes.Success;
    }

    private static int Width()
    {
        if (Console.IsOutputRedirected)
            return WithoutTerminal;
        try
        {
            return Console.WindowWidth is > 0 and var width ? Math.Clamp(width, Narrowest, Widest) : WithoutTerminal;
        }
        catch (IOException)
        {
            return WithoutTerminal;
        }
    }
}
