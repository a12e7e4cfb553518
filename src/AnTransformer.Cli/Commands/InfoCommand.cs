using System.CommandLine;
using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Display;
using AnTransformer.Configuration;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Runs;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt info</c>: what a file or directory holds; reads headers only and never loads LibTorch. Or what this machine
/// computes with.
/// </summary>
internal static class InfoCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("path")
        {
            Description = "A checkpoint or run directory, a data set directory, a token shard (.bin), a configuration "
                + "(.yaml, config.json), weights (.safetensors) or a tokenizer.json.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var machine = new Option<bool>("--machine")
        {
            Description = "Describe this machine instead: processor, peak, bandwidth, and whose matrix products run, "
                + "which is measured at their first use.",
        };
        var json = SharedOptions.Json();
        var command = new Command(
            "info",
            "Describe a checkpoint, shard or configuration: parameters, shapes, FLOPs per token, memory.") { path,
            machine, json };
        command.SetAction(parsed =>
        {
            var given = parsed.GetValue(path);
            if (parsed.GetValue(machine) == given is not null)
                throw new InvalidInputException("info needs either a path or --machine.");
            var facts = given is null ? MachineFacts.Of() : Describe(BundledFiles.Find(given));
            if (parsed.GetValue(json))
                JsonOutput.Print(WithUniqueNames(facts));
            else
                Print(facts);
            return ExitCodes.Success;
        });
        return command;
    }

    private static List<(string Name, object? Value)> Describe(string path)
    {
        if (Directory.Exists(path))
        {
            return DatasetInfo.Load(path) is not null || Directory.EnumerateFiles(path, "*.bin").Any()
                ? DescribeDataset(path)
                : DescribeRun(path);
        }

        if (!File.Exists(path))
            throw new InvalidInputException($"{path}: no such file or directory.");
        if (ForeignCheckpoint.DescribeFile(path) is { } foreign)
            throw new InvalidInputException(foreign);
        return Path.GetFileName(path) switch
        {
            "config.json" => DescribeModel(ModelConfigJson.Load(path)),
            "tokenizer.json" => DescribeTokenizer(path),
            _ => Path.GetExtension(path) switch
            {
                ".bin" => DescribeShard(path),
                ".safetensors" => DescribeWeights(path),
                ".yaml" or ".yml" => DescribeConfiguration(path),
                _ => throw new InvalidInputException(
                    $"{path}: of no known kind; info reads directories, .bin shards, .yaml configurations, "
                        + "config.json, tokenizer.json and .safetensors."),
            },
        };
    }

    /// <summary>
    /// A run by its newest checkpoint, or, before it has one, by its configuration; a directory of another kind as a
    /// checkpoint.
    /// </summary>
    private static List<(string Name, object? Value)> DescribeRun(string path)
    {
        if (RunDirectory.Latest(path) is { } newest)
        {
            var facts = DescribeCheckpoint(newest);
            if (BestCheckpoint.Find(path) is { } best)
                facts.InsertRange(1, [("best checkpoint", best.Path), ("best val loss", best.Loss)]);
            return facts;
        }

        var configuration = Path.Combine(path, RunDirectory.ConfigurationFile);
        return File.Exists(configuration)
            ? DescribeConfiguration(configuration)
            : DescribeCheckpoint(CheckpointPath.Resolve(path));
    }

    private static List<(string Name, object? Value)> DescribeCheckpoint(string path)
    {
        var facts = DescribeModel(ModelConfigJson.Load(Path.Combine(path, ModelCheckpoint.ConfigFile)));
        facts.Insert(0, ("checkpoint", path));
        facts.AddRange(RunFacts.Of(path));
        facts.AddRange(DescribeWeights(Path.Combine(path, ModelCheckpoint.WeightsFile)));
        return facts;
    }

    private static List<(string Name, object? Value)> DescribeModel(ModelConfig config) =>
    [
        ("architecture", config.Architecture),
        ("vocab size", config.VocabSize),
        ("hidden size", config.HiddenSize),
        ("heads", config.NumAttentionHeads),
        ("key value heads", config.Attention.KeyValueHeads),
        ("head size", config.HeadSize),
        ("layers", config.NumHiddenLayers),
        ("intermediate size", config.IntermediateSize),
        ("context", config.MaxPositionEmbeddings),
        ("objective", config.Masking is { } masking
            ? $"masked ({masking.Probability:p0} of the tokens, <mask> is {masking.TokenId})"
            : config.IsCausal ? "causal" : "none (an encoder)"),
        ("tied embeddings", config.TieWordEmbeddings),
        ("qk norm", config.QkNorm),
        ("constraint", ModelConfigJson.ConstraintName(config.Constraint)),
        ("parameters", ModelCost.Parameters(config)),
        ("training flops per token", ModelCost.TrainingFlopsPerToken(config)),
        ("weights bytes fp32", 4 * ModelCost.Parameters(config)),
    ];

    private static List<(string Name, object? Value)> DescribeConfiguration(string path)
    {
        var configuration = ConfigurationBinder.Load<TrainingConfiguration>(path, []);
        var plan = TrainingPlan.Create(configuration, configuration.Tokenizer.VocabSize);
        var activationBytes = configuration.Training.ComputeDtype == ComputeDtype.Bf16 ? 2 : 4;
        var tokens = (long)configuration.Training.BatchSize * plan.Model.MaxPositionEmbeddings;
        var facts = DescribeModel(plan.Model);
        facts.AddRange(
        [
            ("steps", plan.Steps),
            ("tokens per step", plan.TokensPerStep),
            ("tokens", plan.Steps * plan.TokensPerStep),
            ("training flops", plan.Steps * plan.TokensPerStep * ModelCost.TrainingFlopsPerToken(plan.Model)),
            // What distributed.shard_optimizer divides by the number of processes.
            ("optimizer state bytes", plan.Optimizer.Rule.StateBytes(plan.Model)),
            ("training bytes estimate", ModelCost.TrainingBytes(
                plan.Model, tokens, activationBytes, plan.Optimizer.Rule.StateBytes(plan.Model))),
            ("settings", RunFacts.Settings(ResolvedConfiguration.Of(configuration), plan.Model)),
        ]);
        return facts;
    }

    private static List<(string Name, object? Value)> DescribeDataset(string path)
    {
        var facts = new List<(string, object?)> { ("data set", path) };
        if (DatasetInfo.Load(path) is { } info)
        {
            facts.AddRange(
            [
                ("vocab size", info.VocabularySize),
                ("train documents", info.TrainDocuments), ("train bytes", info.TrainBytes),
                ("train tokens", info.TrainTokens),
                ("validation documents", info.ValidationDocuments), ("validation bytes", info.ValidationBytes),
                ("validation tokens", info.ValidationTokens),
            ]);
        }

        foreach (var shard in Directory.EnumerateFiles(path, "*.bin").Order(StringComparer.Ordinal))
        {
            using var opened = TokenShard.Open(shard);
            facts.Add((Path.GetFileName(shard), $"{opened.Length} tokens of {opened.BytesPerToken} bytes"));
        }

        return facts;
    }

    private static List<(string Name, object? Value)> DescribeShard(string path)
    {
        using var shard = TokenShard.Open(path);
        return [("shard", path), ("tokens", shard.Length), ("bytes per token", shard.BytesPerToken),
            ("file bytes", new FileInfo(path).Length)];
    }

    private static List<(string Name, object? Value)> DescribeWeights(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return
        [
            ("tensors", file.Names.Count),
            .. file.Names.Select(
                name => (name, (object?)$"{file[name].Dtype} [{string.Join(", ", file[name].Shape)}]")),
        ];
    }

    private static List<(string Name, object? Value)> DescribeTokenizer(string path)
    {
        var tokenizer = TokenizerFiles.Load(path);
        return [("tokenizer", path), ("vocab size", tokenizer.VocabularySize), ("end of text", tokenizer.EndOfText),
            ("end of text id", tokenizer.EndOfTextId)];
    }

    // A tensor may have the name of anything, that of another fact included.
    private static Dictionary<string, object?> WithUniqueNames(List<(string Name, object? Value)> facts)
    {
        var unique = new Dictionary<string, object?>();
        foreach (var (name, value) in facts)
        {
            var key = name.Replace(' ', '_');
            for (var number = 2; !unique.TryAdd(key, value); number++)
                key = $"{name}_{number}";
        }

        return unique;
    }

    private static void Print(List<(string Name, object? Value)> facts)
    {
        var lines = facts.SelectMany(fact => RunFacts.Lines(fact.Value) ?? MachineFacts.Lines(fact.Value)
            ?? [(fact.Name, Text(fact.Value))]).ToList();
        var width = lines.Max(line => line.Name.Length) + 2;
        foreach (var (name, text) in lines)
            Console.WriteLine(Printable.Line(name.PadRight(width) + text));
    }

    private static string Text(object? value) => value switch
    {
        null => "none",
        double number and < 1000 => number.ToString("0.####", CultureInfo.InvariantCulture),
        double number => Figures.Count(number),
        long number when number >= 10_000 => $"{number} ({Figures.Count(number)})",
        _ => value.ToString() ?? "",
    };
}
