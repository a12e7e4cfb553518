using System.Diagnostics;
using System.Text;
using AnTransformer.Cli.Streams;
using AnTransformer.Configuration;
using AnTransformer.Generation;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli.Generation;

/// <summary>Continues texts by a loaded model and prints them.</summary>
/// <param name="generator">The model.</param>
/// <param name="config">Its sizes.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="settings">What was asked for.</param>
/// <param name="stop">Ends a text after its current token.</param>
internal sealed class GenerationSession(
    TokenGenerator generator, ModelConfig config, Tokenizer tokenizer, GenerationSettings settings,
    CancellationToken stop)
{
    /// <summary>Prints a text as it is drawn.</summary>
    /// <param name="prompt">What it begins with.</param>
    /// <param name="echo">Whether to print that, too.</param>
    public void Stream(string prompt, bool echo)
    {
        var ids = Encode(prompt);
        if (echo)
            Write(prompt);
        foreach (var (_, text) in Draw(ids))
            Write(text);
        Console.WriteLine();
    }

    /// <summary>Prints a text and what is known of its tokens as one JSON object.</summary>
    /// <param name="prompt">What it begins with.</param>
    public void PrintJson(string prompt)
    {
        var ids = Encode(prompt);
        var clock = Stopwatch.StartNew();
        var text = new StringBuilder();
        var drawn = new List<DrawnToken>();
        foreach (var (token, piece) in Draw(ids))
        {
            text.Append(piece);
            if (token is not null)
                drawn.Add(token);
        }

        var result = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["prompt"] = prompt,
            ["text"] = text.ToString(),
            ["tokens"] = drawn.Select(token => token.Id),
            ["tokens_per_second"] = drawn.Count / clock.Elapsed.TotalSeconds,
        };
        if (settings.Logprobs is not null)
        {
            result["logprobs"] = drawn.Select(token => new
            {
                token.Id,
                Text = tokenizer.Decode([token.Id]),
                token.Logprob,
                Top = token.Alternatives.Select(
                    other => new { other.Id, Text = tokenizer.Decode([other.Id]), other.Logprob }),
            });
        }

        JsonOutput.Print(result);
    }

    /// <summary>
    /// A terminal obeys control characters, and a model may draw any; files and pipes get what was drawn.
    /// </summary>
    private static void Write(string text) => Console.Write(Console.IsOutputRedirected ? text : Printable.Lines(text));

    private List<int> Encode(string prompt)
    {
        var ids = tokenizer.Encode(prompt);
        if (ids.Count == 0)
        {
            ids.Add(tokenizer.EndOfTextId
                ?? throw new InvalidInputException(
                    "--prompt is empty and the vocabulary has no end-of-text token to start from; give some text."));
        }

        if (ids.Count > config.MaxPositionEmbeddings)
            ErrorLines.Warn(
                $"the prompt's {ids.Count} tokens exceed the context of {config.MaxPositionEmbeddings}; only its end "
                    + "is read.");
        return ids;
    }

    /// <summary>Tokens with the text that they complete; what is left at the end comes without one.</summary>
    private IEnumerable<(DrawnToken? Token, string Text)> Draw(List<int> ids)
    {
        int? end = settings.IgnoresEnd ? null : tokenizer.EndOfTextId;
        var tokens = settings.Logprobs is { } alternatives
            ? generator.GenerateWithLogprobs(
                ids, settings.MaxTokens, settings.Sampling, alternatives, end, tokenizer.VocabularySize)
            : generator.Generate(ids, settings.MaxTokens, settings.Sampling, end, tokenizer.VocabularySize)
                .Select(id => new DrawnToken(id, double.NaN, []));
        var decoder = new StreamingDecoder(tokenizer);
        var stops = new StopSequences(settings.Stops);
        foreach (var token in tokens)
        {
            if (stop.IsCancellationRequested || StandardStreams.IsOutputUnread)
                break;
            yield return (token, stops.Append(decoder.Append(token.Id)));
            if (stops.IsStopped)
                yield break;
        }

        yield return (null, stops.Append(decoder.Flush()) + stops.Flush());
    }
}
