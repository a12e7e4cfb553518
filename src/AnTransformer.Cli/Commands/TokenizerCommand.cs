using System.CommandLine;
using System.Diagnostics;
using AnTransformer.Cli.Display;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt tokenizer train</c>: learns a byte-level BPE.</summary>
internal static class TokenizerCommand
{
    public static Command Create()
    {
        var command = new Command("tokenizer", "Make tokenizers.");
        command.Subcommands.Add(CreateTrain());
        return command;
    }

    private static Command CreateTrain()
    {
        var corpus = new CorpusOptions();
        var output = new Option<string>("--output", "-o") { Description = "Directory that receives tokenizer.json (as Hugging Face tokenizers load it).", Required = true };
        var vocabSize = SharedOptions.Int("--vocab-size", 4096, "Entries: 256 bytes, the learned merges, and <|endoftext|>.")
            .InRange(BytePairTrainerOptions.SmallestVocabulary, BytePairTrainerOptions.LargestVocabulary);
        var json = SharedOptions.Json();
        var command = new Command("train", "Learn a byte-level BPE from text; the same text gives the same tokenizer.") { output, vocabSize, json };
        corpus.AddTo(command);
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal();
            using var display = TrainingDisplay.Create();
            var clock = Stopwatch.StartNew();
            var tokenizer = TokenizerSource.Make(
                "train", endOfText: null, "plain", parsed.GetValue(vocabSize), parsed.GetRequiredValue(corpus.Inputs), corpus.Source(parsed), display, stop.Token);
            display.Dispose();
            var directory = parsed.GetRequiredValue(output);
            Directory.CreateDirectory(directory);
            tokenizer.Save(directory);
            var path = Path.Combine(directory, "tokenizer.json");
            if (parsed.GetValue(json))
                JsonOutput.Print(new { path, tokenizer.VocabularySize, tokenizer.Fingerprint, Seconds = clock.Elapsed.TotalSeconds });
            else
                Console.WriteLine($"{tokenizer.VocabularySize} entries learned in {clock.Elapsed.TotalSeconds:f1} s: {path}");
            return ExitCodes.Success;
        });
        return command;
    }
}
