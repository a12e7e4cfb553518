using System.CommandLine;
using System.Diagnostics;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Streams;
using AnTransformer.Generation;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt generate</c>: text from a trained model, streamed as it is drawn.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var prompt = new Option<string>("--prompt")
        {
            Description = "Text to continue. Of a prompt longer than the model's context its end is used, with a "
                + "warning.",
            Required = true,
        };
        var count = SharedOptions.Int(
            "--max-tokens", 200, "Most tokens to draw. When the context is full, its older half is dropped.").InRange(1,
            int.MaxValue);
        var temperature = SharedOptions.Number(
            "--temperature", 0.8, "Logits are divided by it; 0 takes the most probable token always.");
        var topK = SharedOptions.Int("--top-k", 0, "Draw from this many most probable tokens only; 0 for all.");
        var topP = SharedOptions.Number(
            "--top-p", 1, "Draw from the most probable tokens that reach this probability together; 1 for all.");
        var seed = SharedOptions.Int("--seed", 0, "Seed of the draws.");
        var noCache = new Option<bool>("--no-cache")
        {
            Description = "Read the whole context for every token instead of keeping keys and values.",
        };
        var ignoreEnd = new Option<bool>("--ignore-end-of-text") { Description = "Go on after an end-of-text token." };
        var device = SharedOptions.Device();
        var dtype = SharedOptions.ComputeDtype();
        var json = SharedOptions.Json();
        var command = new Command("generate", "Continue a text with a trained model.")
        {
            checkpoint, prompt, count, temperature, topK, topP, seed, noCache, ignoreEnd, device, dtype, json,
        };
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Generate);
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            var options = new SamplingOptions(
                parsed.GetValue(temperature), parsed.GetValue(topK), parsed.GetValue(topP), parsed.GetValue(seed));
            options.Validate();
            var tokenizer = CheckpointPath.RequiredTokenizer(path);
            var ids = tokenizer.Encode(parsed.GetRequiredValue(prompt));
            if (ids.Count == 0)
            {
                ids.Add(tokenizer.EndOfTextId
                    ?? throw new InvalidInputException(
                        "--prompt is empty and the vocabulary has no end-of-text token to start from; "
                            + "give some text."));
            }

            using var model = ModelCheckpoint.Load(
                path, ComputeDevice.Context(parsed.GetRequiredValue(device), parsed.GetRequiredValue(dtype)));
            CheckpointPath.RequireVocabulary(path, tokenizer, model.Config);
            if (ids.Count > model.Config.MaxPositionEmbeddings)
            {
                ErrorLines.Warn(
                    $"the prompt's {ids.Count} tokens exceed the context of {model.Config.MaxPositionEmbeddings}; only "
                        + "its end is read.");
            }

            var tokens = new TextGenerator(model, useCache: !parsed.GetValue(noCache))
                .Generate(
                    ids, parsed.GetValue(count), options, parsed.GetValue(ignoreEnd) ? null : tokenizer.EndOfTextId,
                    tokenizer.VocabularySize)
                .TakeWhile(_ => !stop.Token.IsCancellationRequested && !StandardStreams.IsOutputUnread);
            if (parsed.GetValue(json))
                PrintJson(parsed.GetRequiredValue(prompt), tokens, tokenizer);
            else
                Stream(parsed.GetRequiredValue(prompt), tokens, tokenizer);
            return stop.Token.IsCancellationRequested ? ExitCodes.Stopped : ExitCodes.Success;
        });
        return command;
    }

    private static void Stream(string prompt, IEnumerable<int> tokens, Tokenizer tokenizer)
    {
        Write(prompt);
        var decoder = new StreamingDecoder(tokenizer);
        foreach (var token in tokens)
            Write(decoder.Append(token));
        Write(decoder.Flush());
        Console.WriteLine();
    }

    /// <summary>
    /// A terminal obeys control characters, and a model may draw any; files and pipes get what was drawn.
    /// </summary>
    private static void Write(string text) => Console.Write(Console.IsOutputRedirected ? text : Printable.Lines(text));

    private static void PrintJson(string prompt, IEnumerable<int> tokens, Tokenizer tokenizer)
    {
        var clock = Stopwatch.StartNew();
        var drawn = tokens.ToList();
        JsonOutput.Print(new
        {
            prompt,
            text = tokenizer.Decode(drawn),
            tokens = drawn,
            tokensPerSecond = drawn.Count / clock.Elapsed.TotalSeconds,
        });
    }
}
