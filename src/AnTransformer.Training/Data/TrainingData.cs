using AnTransformer.Checkpoints;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Data;

/// <summary>A run's tokens and tokenizer. Raw text is prepared first when the token shards are not there yet.</summary>
public sealed class TrainingData : IDisposable
{
    private TrainingData(Tokenizer? tokenizer, int vocabularySize, TokenDataset train, TokenDataset validation)
        => (Tokenizer, VocabularySize, Train, Validation) = (tokenizer, vocabularySize, train, validation);

    /// <summary>The tokenizer; null for foreign shards that come without one.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>V: the model's vocabulary.</summary>
    public int VocabularySize { get; }

    /// <summary>Tokens to train on.</summary>
    public TokenDataset Train { get; }

    /// <summary>Tokens to evaluate on.</summary>
    public TokenDataset Validation { get; }

    /// <summary>
    /// Opens the shards of <c>data.path</c>, after preparing <c>data.text</c> if there is no such directory. One that
    /// exists was prepared from that text with these settings, or it is refused.
    /// </summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <param name="listener">Hears of the preparation.</param>
    /// <param name="stop">Ends the preparation.</param>
    /// <exception cref="InvalidInputException">
    /// Text, shards or tokenizer cannot be used, or do not belong together.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static TrainingData Open(
        TrainingConfiguration configuration, ITrainingListener listener, CancellationToken stop)
    {
        var section = configuration.Data;
        if (Path.GetDirectoryName(Path.GetFullPath(section.Path)) is { } parent)
            AtomicDirectory.RemoveStale(parent);     // and back comes what a crash left without its name
        if (section.Text.Count > 0)
            PrepareOnce(configuration, listener, stop);

        var tokenizer = LoadTokenizer(configuration);
        var info = DatasetInfo.Load(section.Path);
        var vocabularySize = tokenizer?.VocabularySize ?? info?.VocabularySize ?? configuration.Tokenizer.VocabSize;
        if (info is not null && info.VocabularySize != vocabularySize)
        {
            throw new InvalidInputException(
                $"{section.Path}: was prepared with a vocabulary of {info.VocabularySize} ids, but the tokenizer has "
                    + $"{vocabularySize}; "
                + "use the tokenizer.json in that directory.");
        }

        var train = TokenDataset.Open(section.Path, DatasetSplit.Train, vocabularySize);
        try
        {
            return new TrainingData(
                tokenizer, vocabularySize, train,
                TokenDataset.Open(section.Path, DatasetSplit.Validation, vocabularySize));
        }
        catch
        {
            train.Dispose();
            throw;
        }
    }

    /// <summary>Whether <see cref="Open"/> has text to prepare first.</summary>
    /// <param name="configuration">A validated configuration.</param>
    internal static bool WouldPrepare(TrainingConfiguration configuration)
        => configuration.Data.Text.Count > 0 && !IsMade(configuration.Data.Path);

    /// <inheritdoc/>
    public void Dispose()
    {
        Train.Dispose();
        Validation.Dispose();
    }

    private static void PrepareOnce(
        TrainingConfiguration configuration, ITrainingListener listener, CancellationToken stop)
    {
        var path = configuration.Data.Path;
        if (!IsMade(path))
        {
            try
            {
                TextPreparation.Run(configuration, listener, stop);
                return;
            }
            catch (InvalidInputException) when (IsMade(path))
            {
                // Another process was faster while this one still learned its tokenizer.
            }
        }

        PreparationSettings.Require(configuration);
    }

    /// <summary>
    /// Whether there is a directory with anything in it; what else there may be, preparation refuses.
    /// </summary>
    private static bool IsMade(string path)
        => Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any();

    private static Tokenizer? LoadTokenizer(TrainingConfiguration configuration)
    {
        if (File.Exists(Path.Combine(configuration.Data.Path, "tokenizer.json")))
            return TokenizerFiles.Load(configuration.Data.Path);
        return configuration.Tokenizer.Kind == TokenizerKind.File && configuration.Tokenizer.Path is { } path
            ? TokenizerFiles.Load(path, configuration.Tokenizer.ToOptions())
            : null;
    }
}
