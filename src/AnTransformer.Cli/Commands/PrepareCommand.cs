using System.CommandLine;
using AnTransformer.Cli.Display;
using AnTransformer.Configuration;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt prepare</c>: text to token shards.</summary>
internal static class PrepareCommand
{
    public static Command Create()
    {
        var corpus = new CorpusOptions();
        var output = new Option<string>("--output", "-o") { Description = "Directory to make.", Required = true }
            .NotEmpty("name a directory");
        var tokenizer = new Option<string>("--tokenizer")
        {
            Description = "A tokenizer.json, a directory with one or with vocab.json and merges.txt, `bytes`, or "
                + "`train` to learn a BPE from the inputs first.",
            DefaultValueFactory = _ => "train",
        }.NotEmpty("name a tokenizer, or leave the option out");
        var endOfText = new Option<string?>("--end-of-text")
        {
            Description = "The token between documents, by its text; by default what the files beside the tokenizer "
                + "say (eos_token of "
                + "tokenizer_config.json), else a usual name such as <|endoftext|>.",
        };
        var specialTokens = new Option<string>("--special-tokens")
        {
            Description = "What a special token such as <|endoftext|> is where a text spells it out: plain (text like "
                + "any other) or recognized (its id).",
            DefaultValueFactory = _ => "plain",
        };
        specialTokens.AcceptOnlyFromAmong([.. EnumSpelling.Words(typeof(SpecialTokensInText))]);
        var vocabSize = SharedOptions.Int("--vocab-size", 4096, "Entries of a learned BPE.")
            .InRange(BytePairTrainerOptions.SmallestVocabulary, BytePairTrainerOptions.LargestVocabulary);
        var fraction = SharedOptions.Number(
            "--validation-fraction", 0.01, "Share of the documents held out for validation.").InRange(0, 0.5);
        var seed = SharedOptions.Int("--seed", 0, "Chooses the documents held out.");
        var workers = SharedOptions.Int(
            "--workers", 0, "Tokenizing threads; 0 for one per processor. The output does not depend on it.").InRange(0,
            1024);
        var shardTokens = SharedOptions.Int("--shard-tokens", 100_000_000, "Most tokens in one shard.")
            .InRange(1, int.MaxValue);
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace an earlier data set of that name." };
        var json = SharedOptions.Json();
        var command = new Command(
            "prepare", "Turn text into token shards (llm.c's format) with a train and a validation split.")
        {
            output, tokenizer, endOfText, specialTokens, vocabSize, fraction, seed, workers, shardTokens, overwrite,
            json,
        };
        corpus.AddTo(command);
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Prepare);
            using var display = TrainingDisplay.Create();
            var inputs = parsed.GetRequiredValue(corpus.Inputs);
            var made = TokenizerSource.Make(
                parsed.GetRequiredValue(tokenizer),
                parsed.GetValue(endOfText),
                EnumSpelling.Parse<SpecialTokensInText>(parsed.GetRequiredValue(specialTokens), "--special-tokens"),
                parsed.GetValue(vocabSize),
                inputs,
                corpus.Source(parsed),
                display,
                stop.Token);
            var result = DatasetPreparation.Run(
                new PreparationOptions
                {
                    Inputs = inputs,
                    OutputDirectory = parsed.GetRequiredValue(output),
                    Overwrite = parsed.GetValue(overwrite),
                    Source = corpus.Source(parsed),
                    ValidationFraction = parsed.GetValue(fraction),
                    Seed = parsed.GetValue(seed),
                    Workers = parsed.GetValue(workers),
                    MaxTokensPerShard = parsed.GetValue(shardTokens),
                    TokenizerFingerprint = made.Fingerprint,
                },
                made,
                new ProgressTo<PreparationProgress>(progress => Report(display, progress)),
                stop.Token);
            display.Dispose();
            foreach (var warning in result.Warnings)
                ErrorLines.Warn(warning);
            Print(result, made, parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Report(TrainingDisplay display, PreparationProgress progress)
    {
        var share = (double)progress.BytesRead / Math.Max(1, progress.TotalBytes);
        var left = share > 0 ? progress.Elapsed * ((1 - share) / share) : TimeSpan.Zero;
        var rate = progress.Tokens / Math.Max(1e-9, progress.Elapsed.TotalSeconds);
        display.OnProgress(
            "tokenizing", share,
            $"{Figures.Count(progress.Tokens)} tokens, {Figures.Count(rate)} tokens/s, {Figures.Time(left)} left");
    }

    private static void Print(PreparationResult result, Tokenizer tokenizer, bool json)
    {
        var info = result.Info;
        var seconds = result.Elapsed.TotalSeconds;
        var bytes = info.TrainBytes + info.ValidationBytes;
        var tokens = info.TrainTokens + info.ValidationTokens;
        if (json)
        {
            JsonOutput.Print(new
            {
                result.Directory,
                info.VocabularySize,
                info.EndOfTextId,
                EndOfText = tokenizer.EndOfText,
                info.TrainTokens,
                info.ValidationTokens,
                info.TrainDocuments,
                info.ValidationDocuments,
                info.TrainBytes,
                info.ValidationBytes,
                info.InvalidUtf8Documents,
                Seconds = seconds,
                TokensPerSecond = tokens / seconds,
                result.Warnings,
                LeftOut = result.LeftOut.Select(file => file.Path),
            });
            return;
        }

        Console.WriteLine(
            $"train        {info.TrainTokens} tokens, {info.TrainDocuments} documents, {info.TrainBytes} bytes");
        Console.WriteLine(
            $"validation   {info.ValidationTokens} tokens, {info.ValidationDocuments} documents, "
                + $"{info.ValidationBytes} bytes");
        Console.WriteLine($"vocabulary   {info.VocabularySize} ids, {(double)bytes / tokens:f2} bytes per token");
        Console.WriteLine($"end of text  {(info.EndOfTextId is { } id ? $"{tokenizer.EndOfText} ({id})" : "none")}");
        Console.WriteLine($"speed        {bytes / 1e6 / seconds:f1} MB/s, {Figures.Count(tokens / seconds)} tokens/s");
        Console.WriteLine($"data set     {result.Directory}");
    }
}
