using AnTransformer.Files;

namespace AnTransformer.Training.Tokenization;

/// <summary>Loads tokenizers from the files they are distributed as.</summary>
public static class TokenizerFiles
{
    // GPT-2's own names for the same two files come second.
    private static readonly (string Vocabulary, string Merges)[] PairNames =
        [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")];

    /// <summary>
    /// Loads a byte-level BPE tokenizer: <c>tokenizer.json</c> of Hugging Face <c>tokenizers</c>, or GPT-2's
    /// <c>vocab.json</c> with <c>merges.txt</c>.
    /// </summary>
    /// <param name="path">
    /// A directory with such files (<c>tokenizer.json</c> is preferred), a <c>tokenizer.json</c> of any name, or either of
    /// <c>vocab.json</c> and <c>merges.txt</c>, next to the other.
    /// </param>
    /// <returns>A <see cref="ByteTokenizer"/> where the file is one's, otherwise a <see cref="BytePairTokenizer"/>.</returns>
    /// <exception cref="InvalidInputException">
    /// There is no such file, it cannot be read, is malformed, or needs something that is not supported.
    /// </exception>
    public static Tokenizer Load(string path)
    {
        if (Directory.Exists(path))
            return LoadDirectory(path);
        if (!File.Exists(path))
        {
            throw new InvalidInputException(
                $"There is no tokenizer at {path}; name a tokenizer.json or a directory that has one.");
        }

        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        foreach (var (vocabulary, merges) in PairNames)
        {
            if (Path.GetFileName(path) == vocabulary || Path.GetFileName(path) == merges)
                return LoadPair(directory, vocabulary, merges);
        }

        return Create(TokenizerJsonReader.Read(path, ReadFile(path)));
    }

    internal static byte[] ReadFile(string path)
    {
        try
        {
            return RegularFile.ReadAllBytes(path, RegularFile.TableLimit);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"Cannot read {path}: {exception.Message.TrimEnd('.')}; check that it exists and may be read.", exception);
        }
    }

    private static Tokenizer LoadDirectory(string directory)
    {
        var json = Path.Combine(directory, TokenizerJsonWriter.FileName);
        if (File.Exists(json))
            return Create(TokenizerJsonReader.Read(json, ReadFile(json)));
        foreach (var (vocabulary, merges) in PairNames)
        {
            if (File.Exists(Path.Combine(directory, vocabulary)))
                return LoadPair(directory, vocabulary, merges);
        }

        throw new InvalidInputException(
            $"The directory {directory} has no tokenizer: neither tokenizer.json nor vocab.json with merges.txt; add one.");
    }

    private static Tokenizer LoadPair(string directory, string vocabulary, string merges) =>
        Create(VocabularyAndMergesReader.Read(Path.Combine(directory, vocabulary), Path.Combine(directory, merges)));

    private static Tokenizer Create(BytePairDefinition definition) =>
        ByteTokenizer.Matches(definition) ? new ByteTokenizer() : new BytePairTokenizer(definition);
}
