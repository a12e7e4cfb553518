using AnTransformer.Training.Data;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli;

/// <summary>Data that <c>eval</c> reads: shards as they are, or text, tokenized into a temporary directory.</summary>
internal sealed class EvaluationData : IDisposable
{
    private readonly string? _temporary;

    private EvaluationData(TokenDataset dataset, string? temporary) => (Dataset, _temporary) = (dataset, temporary);

    public TokenDataset Dataset { get; }

    /// <exception cref="InvalidInputException">
    /// The data cannot be used, or is not of the model's vocabulary.
    /// </exception>
    public static EvaluationData Open(
        string path, DatasetSplit split, Tokenizer? tokenizer, int vocabSize, CancellationToken stop)
    {
        if (!File.Exists(path) || !DocumentSource.CanRead(path))
        {
            if (tokenizer is not null && Directory.Exists(path) && DatasetInfo.Load(path) is { } info
                && info.VocabularySize != tokenizer.VocabularySize)
            {
                throw new InvalidInputException(
                    $"{path}: was prepared with a vocabulary of {info.VocabularySize} ids, but the checkpoint's "
                        + $"tokenizer has {tokenizer.VocabularySize}; "
                    + "prepare the text with the checkpoint's tokenizer.");
            }

            return new EvaluationData(TokenDataset.Open(path, split, vocabSize), temporary: null);
        }

        if (tokenizer is null)
            throw new InvalidInputException(
                $"{path}: is text, but the checkpoint has no tokenizer.json to read it with; give token shards.");
        var temporary = Directory.CreateTempSubdirectory("angpt-eval-").FullName;
        try
        {
            var directory = Path.Combine(temporary, "data");
            DatasetPreparation.Run(
                new PreparationOptions { Inputs = [path], OutputDirectory = directory, ValidationFraction = 0 },
                tokenizer, cancellationToken: stop);
            return new EvaluationData(TokenDataset.OpenText(directory, path, vocabSize), temporary);
        }
        catch
        {
            Directory.Delete(temporary, recursive: true);
            throw;
        }
    }

    public void Dispose()
    {
        Dataset.Dispose();
        if (_temporary is not null)
            Directory.Delete(_temporary, recursive: true);
    }
}
