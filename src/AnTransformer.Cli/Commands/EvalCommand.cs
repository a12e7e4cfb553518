using System.CommandLine;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Display;
using AnTransformer.Training.Data;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Loop;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt eval</c>: loss, perplexity and bits per byte of a checkpoint on a data set, or its results in tasks.
/// </summary>
internal static class EvalCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var data = new Option<string>("--data")
        {
            Description = "A directory of token shards (its validation split is read), a shard, or text (.txt, .jsonl, "
                + ".ndjson, .json, .parquet, .gz or .zst), "
                + "which the checkpoint's tokenizer reads whole.",
        }.NotEmpty("name shards or text");
        var split = new ChoiceOption<DatasetSplit>("--split", DatasetSplit.Validation)
        {
            Description = "Which split of a directory.",
        };
        var batch = SharedOptions.Int("--batch-size", 16, "Sequences per forward pass.").InRange(1, 1 << 20);
        var batches = SharedOptions.Int("--batches", 0, "Number of batches; 0 for all.").InRange(0, int.MaxValue);
        var device = SharedOptions.Device();
        var dtype = SharedOptions.ComputeDtype();
        var json = SharedOptions.Json();
        var tasks = new TaskOptions();
        var command = new Command(
            "eval",
            "Measure a checkpoint: loss, perplexity, bits per byte; of a masked language model masked loss and "
                + "accuracy.\nWith --tasks: accuracies in BLiMP, HellaSwag, ARC and others, as lm-evaluation-harness "
                + "has them.")
        {
            checkpoint, data, split, batch, batches, device, dtype,
        };
        tasks.AddTo(command);
        command.Options.Add(json);
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Evaluate);
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            if (tasks.AreGiven(parsed))
            {
                foreach (var other in (Option[])[data, split, batch, batches, device, dtype])
                {
                    if (parsed.GetResult(other) is { Implicit: false })
                        throw new InvalidInputException(
                            $"{other.Name} does not belong to --tasks, which own kernels score on the CPU; leave it "
                                + "out.");
                }

                tasks.Run(parsed, path, parsed.GetValue(json), stop.Token);
                return ExitCodes.Success;
            }

            tasks.RequireNone(parsed);
            if (parsed.GetValue(data) is null)
                throw new InvalidInputException("eval needs --data (shards or text) or --tasks (and --task-data).");
            var tokenizer = CheckpointPath.Tokenizer(path);
            using var model = ModelCheckpoint.Load(
                path, ComputeDevice.Context(parsed.GetRequiredValue(device), parsed.GetRequiredValue(dtype)));
            if (tokenizer is not null)
                CheckpointPath.RequireVocabulary(path, tokenizer, model.Config);
            using var opened = EvaluationData.Open(
                parsed.GetValue(data)!, parsed.GetValue(split), tokenizer,
                CheckpointPath.UsableVocabulary(tokenizer, model.Config), stop.Token);
            using var display = TrainingDisplay.Create();
            var result = new Evaluator(
                    model, WindowSampler.Sequential(opened.Dataset, model.Config.MaxPositionEmbeddings), tokenizer,
                    parsed.GetValue(batch))
                .Run(parsed.GetValue(batches), share => display.OnProgress("evaluating", share, ""), stop.Token);
            display.Dispose();
            if (result.MaskedAccuracy is { } accuracy)
            {
                PrintMasked(path, result, accuracy, parsed.GetValue(json));
            }
            else if (parsed.GetValue(json))
            {
                JsonOutput.Print(new
                {
                    checkpoint = path,
                    result.Loss,
                    result.Perplexity,
                    result.BitsPerByte,
                    result.Tokens,
                    result.Bytes,
                });
            }
            else
            {
                Console.WriteLine($"loss           {result.Loss:f6} nats per token");
                Console.WriteLine($"perplexity     {result.Perplexity:f4}");
                Console.WriteLine("bits per byte  "
                    + (result.BitsPerByte is { } bits ? $"{bits:f6}" : "unknown (the checkpoint has no tokenizer)"));
                Console.WriteLine($"tokens         {result.Tokens}");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static void PrintMasked(string path, EvaluationResult result, double accuracy, bool json)
    {
        if (json)
        {
            JsonOutput.Print(new { checkpoint = path, result.Loss, result.MaskedAccuracy, result.Tokens });
            return;
        }

        Console.WriteLine($"masked loss      {result.Loss:f6} nats per masked token");
        Console.WriteLine($"masked accuracy  {accuracy:p2}");
        Console.WriteLine($"masked tokens    {result.Tokens}");
    }
}
