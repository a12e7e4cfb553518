using AnTransformer.Configuration;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Loop;

namespace AnTransformer.Studies.Running;

/// <summary>
/// The data of a study's runs, prepared once before any run begins, so that runs beside each other do not prepare it
/// twice; and the vocabularies, which decide sizes and costs.
/// </summary>
/// <param name="listener">Hears of the preparation; null to prepare nothing and to guess what is not there yet.</param>
/// <param name="stop">Ends the preparation.</param>
public sealed class StudyData(ITrainingListener? listener, CancellationToken stop)
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, int> _vocabularies = new(StringComparer.Ordinal);

    /// <summary>The size of the vocabulary that a run's tokens are of.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <exception cref="InvalidInputException">The data cannot be used.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public int VocabularySize(TrainingConfiguration configuration)
    {
        var tokenizer = configuration.Tokenizer;
        var key = string.Join(
            '\n', configuration.Data.Path, EnumSpelling.Of(tokenizer.Kind), tokenizer.VocabSize, tokenizer.Path,
            tokenizer.EndOfText,
            EnumSpelling.Of(tokenizer.SpecialTokens));
        if (_vocabularies.TryGetValue(key, out var known))
            return known;
        return _vocabularies[key] = listener is null ? Guess(configuration) : Prepare(configuration, listener);
    }

    private int Prepare(TrainingConfiguration configuration, ITrainingListener preparation)
    {
        while (true)
        {
            try
            {
                using var data = TrainingData.Open(configuration, preparation, stop);
                return data.VocabularySize;
            }
            catch (InvalidInputException e) when (e.IsBusy)
            {
                // Another worker of the study is preparing it.
                if (stop.WaitHandle.WaitOne(BetweenTries))
                    throw new OperationCanceledException(stop);
            }
        }
    }

    private static int Guess(TrainingConfiguration configuration)
        => (Directory.Exists(configuration.Data.Path) ? DatasetInfo.Load(configuration.Data.Path)?.VocabularySize
            : null)
            ?? (configuration.Tokenizer.Kind == TokenizerKind.Bytes
                ? new Training.Tokenization.ByteTokenizer().VocabularySize
                : configuration.Tokenizer.VocabSize);
}
