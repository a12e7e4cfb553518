using System.Globalization;
using System.Text;
using AnTransformer.Architectures;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Metrics;
using AnTransformer.Training.Runs;

namespace AnTransformer.Export;

/// <summary>
/// The <c>README.md</c> of an export: what the model is, how it was trained and how well it did, how it is loaded.
/// </summary>
internal static class ModelCard
{
    /// <summary>The file's name.</summary>
    public const string FileName = "README.md";

    /// <summary>The text.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="exporter">The format.</param>
    /// <param name="dtype">The type of the matrices.</param>
    /// <param name="report">What the exporter said.</param>
    public static string Write(ExportSource source, IExporter exporter, ExportDtype dtype, ExportReport report)
    {
        var card = new StringBuilder();
        card.Append("---\npipeline_tag: text-generation\ntags:\n- antransformer\n");
        card.Append(
            CultureInfo.InvariantCulture,
            $"- {source.Config.Architecture.Replace("+", "-plus", StringComparison.Ordinal)}\n");
        if (exporter.Format == "hf")
            card.Append("library_name: transformers\n");
        card.Append(CultureInfo.InvariantCulture, $"---\n\n# {source.Name}\n\n");
        card.Append(CultureInfo.InvariantCulture, $"A language model of architecture `{source.Config.Architecture}` ");
        card.Append(
            CultureInfo.InvariantCulture,
            $"({ArchitectureRegistry.Get(source.Config.Architecture).Summary}), trained with ");
        card.Append(
            CultureInfo.InvariantCulture,
            $"AnTransformer and exported as {report.Target}, matrices in {dtype.Name()}.\n\n");
        Model(card, source);
        if (report.Usage.Length > 0)
            card.Append("\n## How to load it\n\n").Append(report.Usage.TrimEnd('\n')).Append('\n');
        if (report.Notes.Count > 0)
        {
            card.Append("\n## To be known\n\n");
            foreach (var note in report.Notes)
                card.Append(CultureInfo.InvariantCulture, $"- {note}\n");
        }

        Training(card, source.Path);
        return card.ToString();
    }

    private static void Model(StringBuilder card, ExportSource source)
    {
        var config = source.Config;
        card.Append("| | |\n|---|---|\n");
        foreach (var (name, value) in new (string, long)[]
        {
            ("parameters", ModelCost.Parameters(config)),
            ("vocabulary", config.VocabSize),
            ("width", config.HiddenSize),
            ("layers", config.NumHiddenLayers),
            ("heads", config.NumAttentionHeads),
            ("key-value heads", config.Attention.KeyValueHeads),
            ("head size", config.HeadSize),
            ("MLP width", config.IntermediateSize),
            ("longest context", config.MaxPositionEmbeddings),
        })
        {
            card.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");
        }

        card.Append(
            CultureInfo.InvariantCulture, $"| normalized queries and keys | {(config.QkNorm ? "yes" : "no")} |\n");
        card.Append(
            CultureInfo.InvariantCulture, $"| tied embeddings | {(config.TieWordEmbeddings ? "yes" : "no")} |\n");
    }

    private static void Training(StringBuilder card, string checkpoint)
    {
        if (!TrainingCheckpoint.CanResume(checkpoint))
            return;
        var state = TrainingCheckpoint.LoadState(checkpoint);
        card.Append("\n## Training\n\n");
        card.Append(
            CultureInfo.InvariantCulture, $"{state.Step} steps, {state.Tokens} tokens, {state.ElapsedSeconds:f0} s.");
        foreach (var (name, value) in Losses(checkpoint, state.Step))
            card.Append(CultureInfo.InvariantCulture, $" {name} {value:f4}.");
        card.Append("\n\nSettings that differ from the defaults, places of files apart:\n\n```yaml\n");
        // A fence of its own in a setting would end this one.
        var configuration = WithoutPlaces(TrainingCheckpoint.LoadConfiguration(checkpoint));
        card.Append(ConfigurationBinder.WriteDifferences(configuration).TrimEnd('\n')
            .Replace("```", "'''", StringComparison.Ordinal));
        card.Append("\n```\n");
    }

    /// <summary>Names of files without their folders, which are of one machine and say who worked there.</summary>
    private static TrainingConfiguration WithoutPlaces(TrainingConfiguration configuration)
    {
        var defaults = new TrainingConfiguration();
        configuration.Data.Text = [.. configuration.Data.Text.Select(text => FileName(text)!)];
        configuration.Data.Path = defaults.Data.Path;
        configuration.Tokenizer.Path = FileName(configuration.Tokenizer.Path);
        configuration.Training.Output = defaults.Training.Output;
        configuration.Training.From = FileName(configuration.Training.From);
        configuration.Evaluation.Tasks = [.. configuration.Evaluation.Tasks.Select(task => FileName(task)!)];
        configuration.Evaluation.TaskData = FileName(configuration.Evaluation.TaskData);
        configuration.Checkpoint.Resume = defaults.Checkpoint.Resume;
        return configuration;

        static string? FileName(string? path)
            => path?.TrimEnd('/', '\\') is { } trimmed ? trimmed[(trimmed.LastIndexOfAny(['/', '\\']) + 1)..] : null;
    }

    /// <summary>
    /// The losses that the run measured at a checkpoint's step; none where it lies apart from its run.
    /// </summary>
    private static IEnumerable<(string Name, double Value)> Losses(string checkpoint, long step)
    {
        var directory = new DirectoryInfo(checkpoint);
        if (directory.Parent is not { Name: "checkpoints", Parent: { } run })
            return [];
        var metrics = Path.Combine(run.FullName, "metrics.jsonl");
        if (!File.Exists(metrics))
            return [];
        var records = MetricsLog.Read(metrics).Where(record => record.Step == step).ToList();
        (string, double?)[] losses =
        [
            ("Training loss (nats per token)", records.LastOrDefault(record => record.Loss is not null)?.Loss),
            ("Validation loss (nats per token)", records.LastOrDefault(record => record.ValLoss is not null)?.ValLoss),
            ("Validation bits per byte", records.LastOrDefault(record => record.BitsPerByte is not null)?.BitsPerByte),
        ];
        return losses.Where(loss => loss.Item2 is not null).Select(loss => (loss.Item1, loss.Item2!.Value));
    }
}
