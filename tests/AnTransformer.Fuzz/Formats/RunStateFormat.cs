using System.Text;
using System.Text.Json;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Metrics;
using AnTransformer.Training.Runs;

namespace AnTransformer.Fuzz.Formats;

/// <summary>What runs leave for those that go on with them: trainer state, marker of the best checkpoint, metrics, settings, data set, result.</summary>
internal sealed class RunStateFormat : IFormat
{
    private const string State =
        """
        {"step":100,"sequences":3200,"tokens":819200,"elapsed_seconds":12.5,"seed":1,"divergence":{"steps":100,"smoothed":4.5,"lowest":4.25}}
        """;

    private const string Best = """{"checkpoint":"step_00000100","step":100,"val_loss":4.25}""";

    private const string Metrics =
        """
        {"step":1,"tokens":8192,"loss":5.5,"learning_rate":0.001,"grad_norm":1.5,"tokens_per_second":12000}
        {"step":2,"tokens":16384,"loss":5.25,"val_loss":5.5,"learning_rate":0.002,"grad_norm":"NaN"}
        {"step":3,"tokens":24576,"loss":5.0,"learning_rate":0.003}

        """;

    private const string Dataset =
        """
        {"format_version":1,"vocabulary_size":256,"bytes_per_token":2,"end_of_text_id":null,"tokenizer_fingerprint":"abc","train_tokens":1000,
        "validation_tokens":10,"train_documents":3,"validation_documents":1,"train_bytes":1000,"validation_bytes":10,"invalid_utf8_documents":0,
        "invalid_utf8_bytes":0,"options":{"text_field":"text","text_column":"text","section_bytes":0,"separator":null,"validation_fraction":0.01,
        "seed":1,"max_tokens_per_shard":1000000},"sources":[{"path":"a.txt","bytes":1010}]}
        """;

    private static readonly string Settings = ConfigurationBinder.Write(new TrainingConfiguration());
    private static readonly PlannedRun Run = new("run", new TrainingConfiguration { Training = { Steps = 100 } }, [], vocabularySize: 256);

    private static readonly string Result = JsonSerializer.Serialize(
        new RunResult
        {
            Name = Run.Name,
            Fingerprint = Run.Fingerprint,
            Status = RunEnding.Completed,
            Steps = 100,
            ValLoss = 4.25,
            Settings = ResolvedSettings.Of(Run),
        },
        RunResultFile.Json);

    private static readonly (string File, string Text)[] Files =
    [
        ("trainer_state.json", State), ("best.json", Best), ("metrics.jsonl", Metrics), ("training_config.yaml", Settings), ("dataset.json", Dataset), ("result.json", Result),
    ];

    public string Name => "state";

    public Sample Make(Random random)
    {
        var (file, text) = random.Pick(Files);
        var bytes = file is "training_config.yaml" or "metrics.jsonl" || random.Next(4) == 0
            ? Encoding.UTF8.GetBytes(TextMutator.Change(text, random, random.FewChanges()))
            : JsonMutator.Change(Seeds.Json(text), random, random.FewChanges());
        return new Sample(file, random.Next(4) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        switch (Path.GetFileName(path))
        {
            case "trainer_state.json":
                _ = TrainerState.Load(path);
                break;
            case "best.json":
                // The marker lies in a run's directory of checkpoints.
                var checkpoints = Directory.CreateDirectory(Path.Combine(directory, "run", "checkpoints"));
                Directory.CreateDirectory(Path.Combine(checkpoints.FullName, "step_00000100"));
                File.Copy(path, Path.Combine(checkpoints.FullName, "best.json"), overwrite: true);
                _ = BestCheckpoint.Find(Path.Combine(directory, "run"));
                break;
            case "metrics.jsonl":
                _ = MetricsLog.Read(path);
                break;
            case "training_config.yaml":
                _ = TrainingCheckpoint.LoadConfiguration(directory);
                break;
            case "dataset.json":
                _ = DatasetInfo.Load(directory);
                break;
            default:
                _ = RunResultFile.Read(path, Run);
                break;
        }
    }
}
