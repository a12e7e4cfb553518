using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Training.Devices;
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
        var device = SharedOptions.Device();
        var dtype = SharedOptions.ComputeDtype();
        var json = SharedOptions.Json();
        var command = new Command("score", "Print the natural log-probability of each token given those before it.")
        {
            checkpoint, tokens, text, device, dtype, json,
        };
        command.SetAction(parsed =>
        {
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            var ids = ReadTokens(parsed.GetValue(tokens), parsed.GetValue(text), path);
            using var model = ModelCheckpoint.Load(
                path, ComputeDevice.Context(parsed.GetRequiredValue(device), parsed.GetRequiredValue(dtype)));
            if (parsed.GetValue(text) is not null)
                CheckpointPath.RequireVocabulary(path, CheckpointPath.RequiredTokenizer(path), model.Config);
            Print(Score(model, ids), parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static List<int> ReadTokens(string? tokens, string? text, string path)
    {
        if (tokens is null == text is null)
            throw new InvalidInputException("score needs exactly one of --tokens and --text.");
        if (text is not null)
        {
            var encoded = CheckpointPath.RequiredTokenizer(path).Encode(text);
            return encoded.Count > 0
                ? encoded
                : throw new InvalidInputException("--text is empty; give at least one character.");
        }

        var ids = new List<int>();
        foreach (var part in tokens!.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
                throw new InvalidInputException(
                    $"--tokens: '{Printable.Excerpt(part)}' is not a whole number; separate ids with commas, for "
                        + "example 5,3,9.");
            ids.Add(id);
        }

        return ids;
    }

    private static ScoreResult Score(LanguageModel model, List<int> ids)
    {
        var (vocabulary, context) = (model.Config.VocabSize, model.Config.MaxPositionEmbeddings);
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

        using var noGrad = inference_mode();
        using var scope = NewDisposeScope();
        var logProbabilities = new double?[ids.Count];
        if (ids.Count > 1)
        {
            var sequence = tensor(ids.Select(id => (long)id).ToArray(), device: model.Context.Device);
            var losses = model.TokenLosses(sequence[..^1].unsqueeze(0), sequence[1..].unsqueeze(0));
            var values = losses.to(ScalarType.Float64).cpu().data<double>().ToArray();
            for (var i = 0; i < values.Length; i++)
                logProbabilities[i + 1] = -values[i];
        }

        return new ScoreResult(ids, logProbabilities, ids.Count > 1 ? -logProbabilities.Skip(1).Average() : null);
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

    private sealed record ScoreResult(IReadOnlyList<int> Tokens, double?[] Logprobs, double? Loss);
}
