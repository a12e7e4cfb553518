using System.CommandLine;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Generation;
using AnTransformer.Configuration;
using AnTransformer.Generation;
using AnTransformer.Inference;
using AnTransformer.Training.Devices;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt generate</c>: text from a trained model, streamed as it is drawn.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var prompt = new Option<string?>("--prompt")
        {
            Description = "Text to continue; - reads it from standard input, as does leaving it out where that is no "
                + "terminal. On a "
                + "terminal, without it, each line that is typed is continued. Of a prompt longer than the model's "
                + "context its end is "
                + "used, with a warning.",
        };
        var count = SharedOptions.Int(
            "--max-tokens", 200, "Most tokens to draw. When the context is full, its older half is dropped.").InRange(1,
            int.MaxValue);
        var temperature = SharedOptions.Number(
            "--temperature", 0.8, "Logits are divided by it; 0 takes the most probable token always.");
        var topK = SharedOptions.Int("--top-k", 0, "Draw from this many most probable tokens only; 0 for all.");
        var topP = SharedOptions.Number(
            "--top-p", 1, "Draw from the most probable tokens that reach this probability together; 1 for all.");
        var minP = SharedOptions.Number(
            "--min-p", 0, "Draw from tokens at least this share as probable as the most probable one; 0 for all.");
        var penalty = SharedOptions.Number(
            "--repetition-penalty", 1, "Above 1, tokens of the text so far become less probable; 1 for none.");
        var seed = SharedOptions.Int("--seed", 0, "Seed of the draws.");
        var stops = new Option<string[]>("--stop")
        {
            Description = "End before this text, which is not printed; may be given several times.",
            DefaultValueFactory = _ => [],
        }.NotEmpty("give a text.");
        var logprobs = new Option<int?>("--logprobs")
        {
            Description = "With --json, tell each token's log-probability and this many most probable alternatives.",
        };
        var noCache = new Option<bool>("--no-cache")
        {
            Description = "Read the whole context for every token instead of keeping keys and values; by LibTorch.",
        };
        var ignoreEnd = new Option<bool>("--ignore-end-of-text") { Description = "Go on after an end-of-text token." };
        var choice = new InferenceChoice();
        var json = SharedOptions.Json();
        var command = new Command("generate", "Continue a text with a trained model.")
        {
            checkpoint, prompt, count, temperature, topK, topP, minP, penalty, seed, stops, logprobs, noCache,
            ignoreEnd,
        };
        choice.AddTo(command);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Generate);
            var sampling = new SamplingOptions(
                parsed.GetValue(temperature), parsed.GetValue(topK), parsed.GetValue(topP), parsed.GetValue(seed),
                parsed.GetValue(minP),
                parsed.GetValue(penalty));
            sampling.Validate();
            if (parsed.GetValue(logprobs) is not null && !parsed.GetValue(json))
                throw new InvalidInputException("--logprobs tells of tokens in the JSON result; give --json, too.");
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            CheckpointPath.RequireCausal(path);
            var settings = new GenerationSettings(
                sampling, parsed.GetValue(count), parsed.GetRequiredValue(stops), parsed.GetValue(logprobs),
                parsed.GetValue(ignoreEnd));
            var source = PromptSource.Of(parsed.GetValue(prompt), parsed.GetValue(json));
            // Beside the weights: both take about a tenth of a second, most of it for code that runs the first time.
            var reading = Task.Run(() => CheckpointPath.RequiredTokenizer(path));
            using var model = parsed.GetValue(noCache) || choice.NeedsLibTorch(parsed)
                ? OnLibTorch(path, choice.LibTorch(parsed), useCache: !parsed.GetValue(noCache))
                : OnOwnKernels(path, choice.Options(parsed));
            var tokenizer = reading.GetAwaiter().GetResult();
            CheckpointPath.RequireVocabulary(path, tokenizer, model.Config);
            var session = new GenerationSession(model.Generator, model.Config, tokenizer, settings, stop.Token);
            foreach (var text in source.Prompts(stop.Token))
            {
                if (parsed.GetValue(json))
                    session.PrintJson(text);
                else
                    session.Stream(text, echo: !source.IsInteractive);
            }

            return stop.Token.IsCancellationRequested ? ExitCodes.Stopped : ExitCodes.Success;
        });
        return command;
    }

    private static LoadedModel OnOwnKernels(string path, InferenceOptions options)
    {
        var model = InferenceModel.Load(path, options);
        return new LoadedModel(model, model.Config, new InferenceGenerator(model));
    }

    // A method of its own, so that what it names is loaded only where it is called.
    private static LoadedModel OnLibTorch(string path, (string Device, string ComputeDtype) names, bool useCache)
    {
        var model = ModelCheckpoint.Load(path, ComputeDevice.Context(names.Device, names.ComputeDtype));
        return new LoadedModel(model, model.Config, new TextGenerator(model, useCache));
    }

    private sealed record LoadedModel(IDisposable Owner, ModelConfig Config, TokenGenerator Generator) : IDisposable
    {
        public void Dispose() => Owner.Dispose();
    }
}
