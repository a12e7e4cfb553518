using System.CommandLine;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Display;
using AnTransformer.Inspection;
using AnTransformer.Operators;
using AnTransformer.Studies.Inspection;
using AnTransformer.Training.Data;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Inspection;
using Spectre.Console;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt inspect</c>: norms of activations and weights of a checkpoint against what the method predicts.
/// </summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var checkpoint = SharedOptions.Checkpoint();
        var data = new Option<string>("--data")
        {
            Description = "A directory of token shards (its validation split is read), a shard, or text (.txt, .jsonl, "
                + ".ndjson, .json, .parquet, .gz or .zst), "
                + "which the checkpoint's tokenizer reads whole. The first sequences are measured on.",
            Required = true,
        }.NotEmpty("name shards or text");
        var split = new ChoiceOption<DatasetSplit>("--split", DatasetSplit.Validation)
        {
            Description = "Which split of a directory.",
        };
        var batches = SharedOptions.Int("--batches", 4, "Number of batches.").InRange(1, 1 << 20);
        var batch = SharedOptions.Int("--batch-size", 8, "Sequences per forward pass.").InRange(1, 1 << 20);
        var initial = new Option<bool>("--initial")
        {
            Description = "Leave the checkpoint's weights alone and measure fresh ones of its shape.",
        };
        var seed = SharedOptions.Int("--seed", 1, "Seed of the fresh weights of --initial.").InRange(0, int.MaxValue);
        var output = new Option<string?>("--output", "-o")
        {
            Description = "A folder for report.html, inspect.json, CSV files and plots.",
        }.NotEmpty("name a directory");
        var device = SharedOptions.Device();
        var dtype = SharedOptions.ComputeDtype();
        var json = SharedOptions.Json();
        var command = new Command(
            "inspect", "Measure the norms of activations and weights of a checkpoint, layer by layer, against what the "
                + "method predicts.")
        {
            checkpoint, data, split, batches, batch, initial, seed, output, device, dtype, json,
        };
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Evaluate);
            var path = CheckpointPath.Resolve(parsed.GetRequiredValue(checkpoint));
            var tokenizer = CheckpointPath.Tokenizer(path);
            long? freshSeed = parsed.GetValue(initial) ? parsed.GetValue(seed) : null;
            using var model = Load(
                path, ComputeDevice.Context(parsed.GetRequiredValue(device), parsed.GetRequiredValue(dtype)),
                freshSeed);
            if (tokenizer is not null)
                CheckpointPath.RequireVocabulary(path, tokenizer, model.Config);
            var place = parsed.GetRequiredValue(data);
            using var opened = EvaluationData.Open(
                place, parsed.GetValue(split), tokenizer, CheckpointPath.UsableVocabulary(tokenizer, model.Config),
                stop.Token);
            var sampler = WindowSampler.Sequential(opened.Dataset, model.Config.MaxPositionEmbeddings)
                .Masked(TokenMasker.ForEvaluation(model.Config));
            var sequences = Math.Min((long)parsed.GetValue(batches) * parsed.GetValue(batch), sampler.WindowCount);
            var inspection = ModelInspection.Measure(
                model, InspectionBatches.Of(
                    sampler, sequences, parsed.GetValue(batch), model.Context.Device), cancellation: stop.Token);

            var described = Directory.Exists(place)
                ? $"{place} ({parsed.GetValue(split).ToString().ToLowerInvariant()})"
                : place;
            var source = new InspectionSource(
                path, freshSeed, described, sequences, parsed.GetRequiredValue(dtype), ThisProgram.CommandLine());
            if (parsed.GetValue(output) is { } folder)
                InspectionReport.Save(folder, source, inspection);
            if (parsed.GetValue(json))
                Console.WriteLine(InspectionJson.Write(source, inspection));
            else
                Print(source, inspection);
            return ExitCodes.Success;
        });
        return command;
    }

    private static LanguageModel Load(string path, ModelContext context, long? freshSeed)
    {
        if (freshSeed is not { } seed)
            return ModelCheckpoint.Load(path, context);
        var model = LanguageModel.Create(ModelConfigJson.Load(Path.Combine(path, ModelCheckpoint.ConfigFile)), context);
        model.Initialize(seed);
        return model;
    }

    private static void Print(InspectionSource source, ModelInspection inspection)
    {
        var tables = new ConsoleTables();
        Console.WriteLine(source.Describe(inspection));
        Console.WriteLine();
        foreach (var finding in InspectionText.Findings(inspection))
            Console.WriteLine(finding);
        Console.WriteLine();
        foreach (var table in InspectionText.Tables(inspection))
        {
            Console.WriteLine($"{table.Title}. {table.Note}");
            var drawn = tables.Create(table.Headers);
            foreach (var row in table.Rows)
                drawn.AddRow([.. row.Select(ConsoleTables.Cell)]);
            tables.Write(drawn);
        }
    }
}
