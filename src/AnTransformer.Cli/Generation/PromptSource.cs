namespace AnTransformer.Cli.Generation;

/// <summary>Where the texts to continue come from.</summary>
internal sealed class PromptSource
{
    private readonly string? _text;

    private PromptSource(string? text, bool isInteractive) => (_text, IsInteractive) = (text, isInteractive);

    /// <summary>Whether lines are typed on a terminal.</summary>
    public bool IsInteractive { get; }

    /// <summary>The source that the command line means.</summary>
    /// <param name="prompt">The option's value: a text, <c>-</c> for standard input, or null.</param>
    /// <param name="json">Whether a program is to read the result.</param>
    /// <exception cref="InvalidInputException">There is neither a prompt nor a way to ask for one.</exception>
    public static PromptSource Of(string? prompt, bool json)
    {
        if (prompt is not null and not "-")
            return new PromptSource(prompt, isInteractive: false);
        if (prompt is null && !Console.IsInputRedirected)
        {
            return !Console.IsOutputRedirected && !json
                ? new PromptSource(null, isInteractive: true)
                : throw new InvalidInputException(
                    "generate needs a text to continue; give --prompt, or send it to standard input.");
        }

        var text = Console.In.ReadToEnd();
        // The line's end is the shell's, not the text's.
        text = text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
        return text.Length > 0
            ? new PromptSource(text, isInteractive: false)
            : throw new InvalidInputException("standard input has no text to continue; send some, or give --prompt.");
    }

    /// <summary>The texts; of a terminal line by line, until an empty line or the end.</summary>
    /// <param name="stop">Ends it.</param>
    public IEnumerable<string> Prompts(CancellationToken stop)
    {
        if (!IsInteractive)
        {
            yield return _text!;
            yield break;
        }

        Console.Error.WriteLine("Type the beginning of a text; an empty line ends.");
        while (!stop.IsCancellationRequested)
        {
            Console.Error.Write("> ");
            if (Console.ReadLine() is not { Length: > 0 } line)
                yield break;
            yield return line;
        }
    }
}
