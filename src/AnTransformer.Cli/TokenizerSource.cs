using AnTransformer.Training;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli;

/// <summary>Makes the tokenizer that <c>--tokenizer</c> names.</summary>
internal static class TokenizerSource
{
    /// <param name="name"><c>train</c>, <c>bytes</c>, or a file or directory.</param>
    /// <param name="vocabSize">Entries of a learned one.</param>
    /// <param name="inputs">Text to learn from.</param>
    /// <param name="source">How the text becomes documents.</param>
    /// <param name="listener">Hears of the progress.</param>
    /// <param name="stop">Ends the learning.</param>
    /// <exception cref="InvalidInputException">The file cannot be used, or there is no text.</exception>
    public static Tokenizer Make(
        string name, int vocabSize, IReadOnlyList<string> inputs, DocumentSourceOptions source, ITrainingListener listener, CancellationToken stop)
        => TextPreparation.MakeTokenizer(
            name switch
            {
                "train" => new TokenizerSection { Kind = "bpe", VocabSize = vocabSize },
                "bytes" => new TokenizerSection { Kind = "bytes" },
                _ => new TokenizerSection { Kind = "file", Path = name },
            },
            inputs,
            source,
            listener,
            stop);
}
