using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Inference;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Tokenization;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt score</c>: log-probabilities of a given token sequence.</summary>
internal static class ScoreCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var tokens = new Option<string?>("--tokens")
        {
            Description = "Token ids separated by commas, for example 5,3,9.",
        };
        var text = new Option<string?>("--text") { Description = "Text to score with the checkpoint's tokenizer." };
        var choice = new InferenceChoice();
        var json = SharedOptions.Json();
        var command = new Command("score", "Print the natural log-probability of each token given those before it.")
        {
            checkpoint, tokens, text,
        };
        choice.AddTo(command);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            CheckpointPath.RequireCausal(path);
            // Text is read with its tokenizer beside the weights: either takes about a tenth of a second.
            var input = ReadInput(parsed.GetValue(tokens), parsed.GetValue(text), path);
            Print(
                choice.NeedsLibTorch(parsed)
                    ? ScoreByLibTorch(path, input, choice.LibTorch(parsed))
                    : ScoreByOwnKernels(path, input, choice.Options(parsed)),
                parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static Task<ScoreInput> ReadInput(string? tokens, string? text, string path)
    {
        if (tokens is null == text is null)
            throw new InvalidInputException("score needs exactly one of --tokens and --text.");
        if (text is null)
            return Task.FromResult(new ScoreInput(ParseTokens(tokens!), null));
        return Task.Run(() =>
        {
            var tokenizer = CheckpointPath.RequiredTokenizer(path);
            var encoded = tokenizer.Encode(text);
            return encoded.Count > 0
                ? new ScoreInput(encoded, tokenizer)
                : throw new InvalidInputException("--text is empty; give at least one character.");
        });
    }

    private static List<int> ParseTokens(string tokens)
    {
        var ids = new List<int>();
        foreach (var part in tokens.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
                throw new InvalidInputException(
                    $"--tokens: '{Printable.Excerpt(part)}' is not a whole number; separate ids with commas, for "
                        + "example 5,3,9.");
            ids.Add(id);
        }

        return ids;
    }

    private static ScoreResult ScoreByOwnKernels(
        string path, Task<ScoreInput> input, InferenceOptions options)
    {
        using var model = InferenceModel.Load(path, options);
        var (ids, tokenizer) = input.GetAwaiter().GetResult();
        Check(path, tokenizer, ids, model.Config);
        return new ScoreResult(ids, model.Score(CollectionsMarshal.AsSpan(ids)));
    }

    // A method of its own, so that LibTorch's types are loaded only where it is called.
    private static ScoreResult ScoreByLibTorch(
        string path, Task<ScoreInput> input, (string Device, string ComputeDtype) names)
    {
        using var model = ModelCheckpoint.Load(path, ComputeDevice.Context(names.Device, names.ComputeDtype));
        var (ids, tokenizer) = input.GetAwaiter().GetResult();
        Check(path, tokenizer, ids, model.Config);
        if (ids.Count == 1)
            return new ScoreResult(ids, []);
        using var noGrad = inference_mode();
        using var scope = NewDisposeScope();
        var sequence = tensor(ids.Select(id => (long)id).ToArray(), device: model.Context.Device);
        var losses = model.TokenLosses(sequence[..^1].unsqueeze(0), sequence[1..].unsqueeze(0));
        return new ScoreResult(
            ids, Array.ConvertAll(losses.to(ScalarType.Float64).cpu().data<double>().ToArray(), loss => -loss));
    }

    private static void Check(string path, Tokenizer? tokenizer, List<int> ids, ModelConfig config)
    {
        if (tokenizer is not null)
            CheckpointPath.RequireVocabulary(path, tokenizer, config);
        var (vocabulary, context) = (config.VocabSize, config.MaxPositionEmbeddings);
        for (var i = 0; i < ids.Count; i++)
        {
            if (ids[i] < 0 || ids[i] >= vocabulary)
                throw new InvalidInputException(
                    $"token {ids[i]} at position {i} is outside the model's vocabulary of {vocabulary} ids (0 to "
                        + $"{vocabulary - 1}).");
        }

        if (ids.Count > context)
            throw new InvalidInputException(
                $"{ids.Count} tokens exceed the model's context of {context}; score a shorter sequence.");
    }

    private static void Print(ScoreResult result, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(result, JsonOutput.Compact));
            return;
        }

        for (var i = 0; i < result.Tokens.Count; i++)
            Console.WriteLine(
                $"{result.Tokens[i],8}  {result.Logprobs[i]?.ToString("f6", CultureInfo.InvariantCulture) ?? "-"}");
        Console.WriteLine($"loss {result.Loss?.ToString("f6", CultureInfo.InvariantCulture) ?? "-"} nats per token");
    }

    /// <summary>What is scored, and what turned it into tokens unless it came as such.</summary>
    private sealed record ScoreInput(List<int> Tokens, Tokenizer? Tokenizer);

    private sealed record ScoreResult(IReadOnlyList<int> Tokens, double?[] Logprobs, double? Loss)
    {
        /// <summary>A result from the scores of all tokens but the first, which has none.</summary>
        public ScoreResult(List<int> tokens, double[] scores)
            : this(
                tokens, [null, .. scores.Select(score => (double?)score)], scores.Length > 0 ? -scores.Average() : null)
        {
        }
    }
}
