using System.CommandLine;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Cli.Commands;

/// <summary>Inputs and how they become documents: what <c>prepare</c> and <c>tokenizer train</c> share.</summary>
internal sealed class CorpusOptions
{
    public Argument<string[]> Inputs { get; } = new("input")
    {
        Description = "Files, directories or patterns of .txt, .jsonl and .parquet; .txt and .jsonl also as .gz or .zst.",
        Arity = ArgumentArity.OneOrMore,
    };

    private Option<string> TextField { get; } = new("--text-field")
    {
        Description = "Field of JSON lines, or column of Parquet files, that holds the text.",
        DefaultValueFactory = _ => "text",
    };

    private Option<int> SectionBytes { get; } = SharedOptions
        .Int("--section-bytes", 16 * 1024, "Plain text is cut at paragraphs into documents of about this many bytes; 0 makes each file one document.")
        .InRange(0, 1 << 30);

    private Option<string?> Separator { get; } = new("--separator")
    {
        Description = "Plain text is cut at this literal string instead, such as <|endoftext|>.",
    };

    public void AddTo(Command command)
    {
        command.Arguments.Add(Inputs);
        command.Options.Add(TextField);
        command.Options.Add(SectionBytes);
        command.Options.Add(Separator);
    }

    public DocumentSourceOptions Source(ParseResult parsed) => new()
    {
        TextField = parsed.GetRequiredValue(TextField),
        TextColumn = parsed.GetRequiredValue(TextField),
        SectionBytes = parsed.GetValue(SectionBytes),
        Separator = parsed.GetValue(Separator),
    };
}
