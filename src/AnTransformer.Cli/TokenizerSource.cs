using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Cli;

/// <summary>Makes the tokenizer that <c>--tokenizer</c> names.</summary>
internal static class TokenizerSource
{
    /// <param name="name"><c>train</c>, <c>bytes</c>, or a file or directory.</param>
    /// <param name="endOfText">The token between documents, of a file; null for what the files say.</param>
    /// <param name="specialTokens">What special tokens in texts are.</param>
    /// <param name="vocabSize">Entries of a learned one.</param>
    /// <param name="inputs">Text to learn from.</param>
    /// <param name="source">How the text becomes documents.</param>
    /// <param name="listener">Hears of the progress.</param>
    /// <param name="stop">Ends the learning.</param>
    /// <exception cref="InvalidInputException">The file cannot be used, or there is no text.</exception>
    public static Tokenizer Make(
        string name,
        string? endOfText,
        SpecialTokensInText specialTokens,
        int vocabSize,
        IReadOnlyList<string> inputs,
        DocumentSourceOptions source,
        ITrainingListener listener,
        CancellationToken stop)
    {
        if (endOfText is not null && name is ("train" or "bytes"))
            throw new InvalidInputException(
                $"--end-of-text chooses among the tokens of a file, but --tokenizer is {name}; leave it out.");
        var section = name switch
        {
            "train" => new TokenizerSection { Kind = TokenizerKind.Bpe, VocabSize = vocabSize },
            "bytes" => new TokenizerSection { Kind = TokenizerKind.Bytes },
            _ => new TokenizerSection { Kind = TokenizerKind.File, Path = name, EndOfText = endOfText },
        };
        section.SpecialTokens = specialTokens;
        return TextPreparation.MakeTokenizer(section, inputs, source, listener, stop);
    }
}
