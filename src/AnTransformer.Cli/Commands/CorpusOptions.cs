using System.CommandLine;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Cli.Commands;

/// <summary>Inputs and how they become documents: what <c>prepare</c> and <c>tokenizer train</c> share.</summary>
internal sealed class CorpusOptions
{
    public Argument<string[]> Inputs { get; } = new("input")
    {
        Description = "Files, directories or patterns of .txt, .jsonl, .ndjson, .json and .parquet, all but the last "
            + "also as .gz or .zst.",
        Arity = ArgumentArity.OneOrMore,
    };

    private Option<string> TextField { get; } = new("--text-field")
    {
        Description = "Field of JSON lines, or column of Parquet files, that holds the text.",
        DefaultValueFactory = _ => "text",
    };

    private Option<int> SectionBytes { get; } = SharedOptions
        .Int(
            "--section-bytes", 16 * 1024,
            "Plain text is cut at paragraphs into documents of about this many bytes; 0 makes each file one document.")
        .InRange(0, 1 << 30);

    private Option<string?> Separator { get; } = new("--separator")
    {
        Description = "Plain text is cut at this literal string instead, such as <|endoftext|>.",
    };

    private Option<string> Encoding { get; } = new("--encoding")
    {
        Description = "How the bytes of text and JSON files are characters: auto (UTF-8, or UTF-16 where a byte-order "
            + "mark says "
            + "so), utf-8 (whatever the bytes are), utf-16le, utf-16be, latin1 or windows-1252.",
        DefaultValueFactory = _ => TextEncodings.Names[0],
    };

    private Option<int> MaxDocumentBytes { get; } = SharedOptions
        .Int(
            "--max-document-bytes",
            DocumentSourceOptions.DefaultMaxDocumentBytes,
            "Largest document; a larger one is refused. It takes up to eight times its size of memory.")
        .InRange(1, 1 << 30);

    public void AddTo(Command command)
    {
        command.Arguments.Add(Inputs);
        command.Options.Add(TextField);
        command.Options.Add(SectionBytes);
        command.Options.Add(Separator);
        command.Options.Add(Encoding);
        command.Options.Add(MaxDocumentBytes);
    }

    public DocumentSourceOptions Source(ParseResult parsed) => new()
    {
        TextField = parsed.GetRequiredValue(TextField),
        TextColumn = parsed.GetRequiredValue(TextField),
        SectionBytes = parsed.GetValue(SectionBytes),
        Separator = parsed.GetValue(Separator),
        Encoding = TextEncodings.Parse(parsed.GetRequiredValue(Encoding)),
        MaxDocumentBytes = parsed.GetValue(MaxDocumentBytes),
    };
}
