using AnTransformer.Files;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Export.Import;

/// <summary>The tokenizer beside foreign weights: copied as it is where it can be read here.</summary>
internal static class ForeignTokenizer
{
    private static readonly string[] Files =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
    ];

    private static readonly string[] Pairs = ["vocab.json", "merges.txt", "encoder.json", "vocab.bpe"];

    /// <summary>Reads the tokenizer of a directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="vocabSize">The model's number of ids.</param>
    /// <returns>The tokenizer, or null and why there is none.</returns>
    /// <exception cref="InvalidInputException">A file is a link that leads out of the directory.</exception>
    public static (Tokenizer? Tokenizer, string? Warning) Load(string directory, int vocabSize)
    {
        const string Consequence = "the checkpoint has no tokenizer, so it reads token ids only";
        foreach (var name in Files.Concat(Pairs))
            _ = ForeignDirectory.Find(directory, name);
        Tokenizer tokenizer;
        try
        {
            tokenizer = TokenizerFiles.Load(directory);
        }
        catch (InvalidInputException e)
        {
            return (null, $"{Consequence}: {e.Message}");
        }

        return tokenizer.VocabularySize <= vocabSize
            ? (tokenizer, null)
            : (null,
                $"{Consequence}: {directory}: the tokenizer has {tokenizer.VocabularySize} ids, the model "
                    + $"{vocabSize}.");
    }

    /// <summary>Writes the files of a tokenizer that was read from a directory into another.</summary>
    /// <param name="tokenizer">What was read.</param>
    /// <param name="from">Where it was read.</param>
    /// <param name="to">An existing directory.</param>
    public static void Copy(Tokenizer tokenizer, string from, string to)
    {
        if (!File.Exists(Path.Combine(from, Files[0])))
            tokenizer.Save(to);
        foreach (var name in Files)
        {
            // What says which token ends a text is part of what was read.
            if (ForeignDirectory.Find(from, name) is { } path)
                File.WriteAllBytes(Path.Combine(to, name), RegularFile.ReadAllBytes(path, RegularFile.TableLimit));
        }
    }
}
