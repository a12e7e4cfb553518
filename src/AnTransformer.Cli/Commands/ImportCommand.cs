using System.CommandLine;
using AnTransformer.Architectures;
using AnTransformer.Cli.Display;
using AnTransformer.Export.Import;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt import</c>: a Llama or Qwen3 model as Hugging Face has it to a checkpoint.</summary>
internal static class ImportCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("directory")
        {
            Description = "A Llama or Qwen3 model as Hugging Face has it: config.json, model.safetensors or several "
                + "files with their "
                + "index, tokenizer.json.",
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "Checkpoint directory to make.",
            Required = true,
        }
            .NotEmpty("name a directory");
        var json = SharedOptions.Json();
        var command = new Command("import", "Make a checkpoint from a Llama or Qwen3 model of Hugging Face.")
        {
            directory, output, json,
        };
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Import);
            var made = CheckpointImport.Run(
                parsed.GetRequiredValue(directory), parsed.GetRequiredValue(output), stop.Token);
            if (made.Warning is { } warning)
                ErrorLines.Warn(warning);
            Print(made, parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Print(ImportedCheckpoint made, bool json)
    {
        var parameters = ModelCost.Parameters(made.Config);
        if (json)
        {
            JsonOutput.Print(new
            {
                checkpoint = made.Directory,
                made.Config.Architecture,
                parameters,
                vocabularySize = made.Config.VocabSize,
                tokenizerVocabularySize = made.Tokenizer?.VocabularySize,
                made.Warning,
            });
            return;
        }

        Console.WriteLine(
            $"model       {made.Config.Architecture}, {Figures.Count(parameters)} parameters, {made.Config.VocabSize} "
                + "ids");
        Console.WriteLine(
            $"tokenizer   {(made.Tokenizer is { } tokenizer ? $"{tokenizer.VocabularySize} ids" : "none")}");
        Console.WriteLine($"checkpoint  {made.Directory}");
    }
}
