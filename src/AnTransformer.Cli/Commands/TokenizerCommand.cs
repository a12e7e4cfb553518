using System.CommandLine;
using System.Diagnostics;
using AnTransformer.Cli.Display;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;

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
        var output = new Option<string>("--output", "-o")
        {
            Description = "Directory that receives tokenizer.json (as Hugging Face tokenizers load it).",
            Required = true,
        }.NotEmpty("name a directory");
        var vocabSize = SharedOptions.Int(
            "--vocab-size", 4096, "Entries: 256 bytes, the learned merges, and <|endoftext|>.")
            .InRange(BytePairTrainerOptions.SmallestVocabulary, BytePairTrainerOptions.LargestVocabulary);
        var overwrite = new Option<bool>("--overwrite")
        {
            Description = "Replace a tokenizer.json that is there already.",
        };
        var json = SharedOptions.Json();
        var command = new Command(
            "train", "Learn a byte-level BPE from text; the same text gives the same tokenizer.") { output, vocabSize,
            overwrite, json };
        corpus.AddTo(command);
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.TrainTokenizer);
            using var display = TrainingDisplay.Create();
            var clock = Stopwatch.StartNew();
            var directory = parsed.GetRequiredValue(output);
            // Before the work rather than after it.
            if (File.Exists(directory))
                throw new InvalidInputException($"{directory}: is a file; name a directory for tokenizer.json.");
            var path = Path.Combine(directory, "tokenizer.json");
            if (Path.Exists(path) && !parsed.GetValue(overwrite))
                throw new InvalidInputException(
                    $"'{path}' exists; choose another output directory or allow overwriting (--overwrite).");
            var tokenizer = TokenizerSource.Make(
                "train", endOfText: null, SpecialTokensInText.Plain, parsed.GetValue(vocabSize),
                parsed.GetRequiredValue(corpus.Inputs),
                corpus.Source(parsed), display, stop.Token);
            display.Dispose();
            var read = DocumentSource.Open(parsed.GetRequiredValue(corpus.Inputs), corpus.Source(parsed), stop.Token);
            if (read.LeftOutWarning is { } leftOut)
                ErrorLines.Warn(leftOut);
            Make(directory);
            tokenizer.Save(directory);
            if (parsed.GetValue(json))
            {
                var seconds = clock.Elapsed.TotalSeconds;
                JsonOutput.Print(new { path, tokenizer.VocabularySize, tokenizer.Fingerprint, Seconds = seconds });
            }
            else
                Console.WriteLine(
                    $"{tokenizer.VocabularySize} entries learned in {clock.Elapsed.TotalSeconds:f1} s: {path}");
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Make(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{directory}: cannot be made ({e.Message.TrimEnd('.')}); choose another directory.", e);
        }
    }
}
