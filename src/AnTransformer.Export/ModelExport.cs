using AnTransformer.Checkpoints;

namespace AnTransformer.Export;

/// <summary>
/// Exports a checkpoint: opens it, lets the format's exporter write, and makes the directory appear whole or not at
/// all.
/// </summary>
public static class ModelExport
{
    /// <summary>Exports a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint's directory.</param>
    /// <param name="target">A directory that does not exist yet, or is empty.</param>
    /// <param name="exporter">The format.</param>
    /// <param name="dtype">The matrices' type; null for the format's default.</param>
    /// <param name="fold">See <see cref="ExportOptions.Fold"/>.</param>
    /// <param name="maxShardBytes">See <see cref="ExportOptions.MaxShardBytes"/>; null for its default.</param>
    /// <param name="stop">Ends the export, of which nothing remains then.</param>
    /// <exception cref="InvalidInputException">
    /// The checkpoint cannot be read, the format cannot hold it, or the directory exists; nothing is left behind.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static ExportReport Write(
        string checkpoint,
        string target,
        IExporter exporter,
        ExportDtype? dtype = null,
        bool fold = false,
        long? maxShardBytes = null,
        CancellationToken stop = default)
    {
        var type = dtype ?? exporter.Dtypes[0];
        if (!exporter.Dtypes.Contains(type))
        {
            throw new InvalidInputException(
                $"format {exporter.Format} has no type {type.Name()}; it must be one of "
                + $"{string.Join(", ", exporter.Dtypes.Select(ExportDtypes.Name))}.");
        }

        if (fold && !exporter.HasOptionalFolding)
        {
            throw new InvalidInputException(
                $"--fold belongs to --format safetensors; {exporter.Format} folds what can be folded by itself, so "
                    + "leave it out.");
        }

        if (maxShardBytes is not null && !exporter.HasShards)
        {
            throw new InvalidInputException(
                $"--max-shard-size belongs to --format hf; {exporter.Format} is one file, so leave it out.");
        }

        var options = new ExportOptions(type, fold);
        if (maxShardBytes is { } most)
            options = options with { MaxShardBytes = most };
        using var source = ExportSource.Open(checkpoint, stop);
        ExportReport? report = null;
        AtomicDirectory.Write(target, directory =>
        {
            report = exporter.Write(source, options, directory);
            stop.ThrowIfCancellationRequested();
            File.WriteAllText(
                Path.Combine(directory, ModelCard.FileName), ModelCard.Write(source, exporter, type, report));
        });
        return report!;
    }
}
