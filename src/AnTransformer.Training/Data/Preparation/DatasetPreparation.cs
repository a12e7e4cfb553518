using System.Diagnostics;
using AnTransformer.Checkpoints;
using AnTransformer.Configuration;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Turns text into a data set: a directory of token shards <c>train-000000.bin</c>, …, <c>val-000000.bin</c>, …, the
/// tokenizer's file and <c>dataset.json</c>. Each document is followed by the tokenizer's end-of-text token, if it has
/// one. The bytes written depend on inputs, options and tokenizer alone, not on the number of workers.
/// </summary>
public static class DatasetPreparation
{
    /// <inheritdoc cref="RunAsync"/>
    public static PreparationResult Run(
        PreparationOptions options,
        Tokenizer tokenizer,
        IProgress<PreparationProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(options, tokenizer, progress, cancellationToken).GetAwaiter().GetResult();

    /// <summary>
    /// Prepares a data set. The output directory appears at once when all is done; after a failure nothing is left.
    /// </summary>
    /// <param name="options">What to do.</param>
    /// <param name="tokenizer">Used by several threads at once.</param>
    /// <param name="progress">Told about each batch of documents, from a thread of the pool.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    /// <exception cref="InvalidInputException">
    /// An input is missing, corrupt or holds no text, an option is out of range, or the output cannot be written, must
    /// not be replaced, or is being made by another process.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static async Task<PreparationResult> RunAsync(
        PreparationOptions options,
        Tokenizer tokenizer,
        IProgress<PreparationProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        options.Validate();
        var clock = Stopwatch.StartNew();
        var source = DocumentSource.Open(options.Inputs, options.Source, cancellationToken);
        if (source.FindInside(options.OutputDirectory) is { } inside)
        {
            throw new InvalidInputException(
                $"The input '{inside.Path}' is in the output directory '{options.OutputDirectory}'; choose another "
                    + "output directory.");
        }

        DatasetInfo? info = null;
        await AtomicDirectory.WriteAsync(
            options.OutputDirectory,
            async directory =>
            {
                info = await WriteAsync(source, directory, options, tokenizer, clock, progress, cancellationToken);
                options.Complete?.Invoke(directory);
                cancellationToken.ThrowIfCancellationRequested();
            },
            directory => DatasetDirectory.Objection(directory, options.Overwrite));
        return new PreparationResult(options.OutputDirectory, info!, clock.Elapsed, Warnings(info!, options, source))
        {
            LeftOut = source.LeftOut,
        };
    }

    private static async Task<DatasetInfo> WriteAsync(
        DocumentSource source,
        string directory,
        PreparationOptions options,
        Tokenizer tokenizer,
        Stopwatch clock,
        IProgress<PreparationProgress>? progress,
        CancellationToken cancellationToken)
    {
        using var train = new SplitWriter(directory, "train", tokenizer.VocabularySize, options.MaxTokensPerShard);
        using var validation = new SplitWriter(directory, "val", tokenizer.VocabularySize, options.MaxTokensPerShard);
        var split = new ValidationSplit(options.ValidationFraction, options.Seed);
        long documents = 0, invalidDocuments = 0, invalidBytes = 0, nulBytes = 0;

        void Write(DocumentBatch batch)
        {
            for (var i = 0; i < batch.Count; i++)
                (split.IsValidation(documents++) ? validation : train).Write(batch.TokensOf(i), batch.BytesOf(i));
            invalidDocuments += batch.InvalidUtf8Documents;
            invalidBytes += batch.InvalidUtf8Bytes;
            nulBytes += batch.NulBytes;
            progress?.Report(
                new PreparationProgress(
                    source.BytesRead, source.TotalBytes, documents, train.Tokens + validation.Tokens,
                train.TextBytes + validation.TextBytes, clock.Elapsed));
        }

        var workers = options.Workers == 0 ? Environment.ProcessorCount : options.Workers;
        await new TokenizationPipeline(tokenizer, workers)
            .RunAsync(source.Documents(cancellationToken), Write, cancellationToken);
        if (train.Tokens == 0)
        {
            throw new InvalidInputException(
                $"The corpus is empty: the {source.Files.Count} input files ('{source.Files[0].Path}'" +
                $"{(source.Files.Count > 1 ? ", …" : "")}) hold no text; name files that do.");
        }
        train.Complete();
        validation.Complete();
        tokenizer.Save(directory);
        var info = new DatasetInfo
        {
            FormatVersion = DatasetInfo.CurrentFormatVersion,
            VocabularySize = tokenizer.VocabularySize,
            BytesPerToken = TokenShardWriter.BytesPerTokenFor(tokenizer.VocabularySize),
            EndOfTextId = tokenizer.EndOfTextId,
            TokenizerFingerprint = options.TokenizerFingerprint,
            TrainTokens = train.Tokens,
            ValidationTokens = validation.Tokens,
            TrainDocuments = train.Documents,
            ValidationDocuments = validation.Documents,
            TrainBytes = train.TextBytes,
            ValidationBytes = validation.TextBytes,
            InvalidUtf8Documents = invalidDocuments,
            InvalidUtf8Bytes = invalidBytes,
            NulBytes = nulBytes,
            Options = new DatasetOptions(
                options.Source.TextField, options.Source.TextColumn, options.Source.SectionBytes,
                options.Source.Separator, options.ValidationFraction, options.Seed, options.MaxTokensPerShard,
                EnumSpelling.Of(options.Source.Encoding)),
            Sources = [.. source.Files.Select(file => new DatasetSource(file.Path, file.Bytes))],
        };
        info.Save(directory);
        return info;
    }

    private static List<string> Warnings(DatasetInfo info, PreparationOptions options, DocumentSource source)
    {
        var warnings = new List<string>();
        if (source.LeftOutWarning is { } leftOut)
            warnings.Add(leftOut);
        if (info.NulBytes > 0)
        {
            warnings.Add(
                $"{info.NulBytes} bytes of the text are NUL; they are kept, but text has none: look whether the files "
                    + "are what they seem.");
        }
        if (info.InvalidUtf8Documents > 0)
        {
            warnings.Add(
                $"{info.InvalidUtf8Bytes} bytes in {info.InvalidUtf8Documents} documents are not valid UTF-8; they are "
                    + "kept " +
                "as they are.");
        }
        if (info.EndOfTextId is null)
            warnings.Add("The tokenizer has no end-of-text token, so documents follow each other without a mark.");
        if (options.ValidationFraction > 0 && info.ValidationTokens == 0)
            warnings.Add("The corpus is a single document, so there is no validation split.");
        return warnings;
    }
}
