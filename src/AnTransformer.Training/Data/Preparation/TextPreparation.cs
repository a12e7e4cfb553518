using AnTransformer.Training.Configuration;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Prepares a configuration's raw text: learns or loads the tokenizer, then writes token shards.</summary>
public static class TextPreparation
{
    private const string BundledPrefix = "bundled:";

    /// <summary>Makes the directory <c>data.path</c>.</summary>
    /// <exception cref="InvalidInputException">
    /// Text or tokenizer cannot be used, or the directory cannot be written.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped; nothing is left behind.</exception>
    public static void Run(TrainingConfiguration configuration, ITrainingListener listener, CancellationToken stop)
    {
        var section = configuration.Data;
        var inputs = section.Text.Select(ResolveBundled).ToList();
        var source = new DocumentSourceOptions
        {
            TextField = section.TextField,
            TextColumn = section.TextField,
            SectionBytes = section.SectionBytes,
            Encoding = section.Encoding,
        };
        listener.OnMessage($"preparing {string.Join(", ", section.Text)} in {section.Path}");
        var tokenizer = MakeTokenizer(configuration.Tokenizer, inputs, source, listener, stop);
        var result = DatasetPreparation.Run(
            new PreparationOptions
            {
                Inputs = inputs,
                OutputDirectory = section.Path,
                Source = source,
                ValidationFraction = section.ValidationFraction,
                TokenizerFingerprint = tokenizer.Fingerprint,
                // Within the directory before that has its name: no kill can part the shards from what they were made
                // with.
                Complete = directory => PreparationSettings.Of(configuration).Save(directory),
            },
            tokenizer,
            new ProgressTo<PreparationProgress>(
                progress => listener.OnProgress("tokenizing", ShareOf(progress), RateOf(progress))),
            stop);
        foreach (var warning in result.Warnings)
            listener.OnWarning(warning);
        listener.OnMessage(
            $"{result.Info.TrainTokens} training and {result.Info.ValidationTokens} validation tokens of "
                + $"{result.Info.VocabularySize} kinds");
    }

    /// <summary>Learns or loads the tokenizer a section asks for.</summary>
    /// <exception cref="InvalidInputException">The file cannot be used.</exception>
    public static Tokenizer MakeTokenizer(
        TokenizerSection section, IReadOnlyList<string> inputs, DocumentSourceOptions source,
        ITrainingListener listener, CancellationToken stop)
    {
        var options = section.ToOptions();
        if (section.Kind == TokenizerKind.Bytes)
            return TokenizerFiles.Apply(new ByteTokenizer(), options.SpecialTokens);
        if (section.Kind == TokenizerKind.File)
            return TokenizerFiles.Load(section.Path!, options);
        var documents = DocumentSource.Open(inputs, source, stop);
        var result = BytePairTrainer.Train(
            documents.Documents(stop).Select(document => document.Text),
            new BytePairTrainerOptions { VocabularySize = section.VocabSize },
            new ProgressTo<BytePairTrainingProgress>(progress => listener.OnProgress(
                "learning the tokenizer",
                progress.VocabularySize == 0
                    ? 0.5 * documents.BytesRead / Math.Max(1, documents.TotalBytes)
                    : 0.5 + (0.5 * progress.VocabularySize / progress.RequestedVocabularySize),
                "")),
            stop);
        if (result.BytesRead == 0)
            throw new InvalidInputException(
                $"{string.Join(", ", inputs)}: holds no text to learn a tokenizer from; give files with text.");
        if (result.Warning is { } warning)
            listener.OnWarning(warning);
        return TokenizerFiles.Apply(result.Tokenizer, options.SpecialTokens);
    }

    private static string ResolveBundled(string path)
    {
        if (!path.StartsWith(BundledPrefix, StringComparison.Ordinal))
            return path;
        var own = Path.Combine(AppContext.BaseDirectory, "data", path[BundledPrefix.Length..]);
        return File.Exists(own)
            ? own
            : throw new InvalidInputException(
                $"data.text: '{Printable.Excerpt(path)}' does not travel with this program; the text that does is "
                    + "bundled:austen.txt.");
    }

    private static double ShareOf(PreparationProgress progress)
        => (double)progress.BytesRead / Math.Max(1, progress.TotalBytes);

    private static string RateOf(PreparationProgress progress)
        => progress.Elapsed.TotalSeconds > 0 ? $"{progress.Tokens / progress.Elapsed.TotalSeconds:f0} tokens/s" : "";
}
