using AnTransformer.Files;
using AnTransformer.Training.Tokenization.BytePairs;

namespace AnTransformer.Training.Tokenization.Files;

/// <summary>Loads tokenizers from the files they are distributed as.</summary>
public static class TokenizerFiles
{
    // GPT-2's own names for the same two files come second.
    private static readonly (string Vocabulary, string Merges)[] PairNames =
        [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")];

    /// <summary>
    /// Loads a byte-level BPE tokenizer: <c>tokenizer.json</c> of Hugging Face <c>tokenizers</c>, or GPT-2's
    /// <c>vocab.json</c> with <c>merges.txt</c>; and which token ends a text from the files beside it (see
    /// <see cref="TokenizerOptions.EndOfText"/>).
    /// </summary>
    /// <param name="path">
    /// A directory with such files (<c>tokenizer.json</c> is preferred), a <c>tokenizer.json</c> of any name, or either
    /// of <c>vocab.json</c> and <c>merges.txt</c>, next to the other.
    /// </param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <returns>
    /// A <see cref="ByteTokenizer"/> where the file is one's, otherwise a <see cref="BytePairTokenizer"/>.
    /// </returns>
    /// <exception cref="InvalidInputException">
    /// There is no such file, it cannot be read, is malformed, or needs something that is not supported.
    /// </exception>
    public static Tokenizer Load(string path, TokenizerOptions? options = null)
    {
        options ??= new TokenizerOptions();
        if (Directory.Exists(path))
            return LoadDirectory(path, options);
        if (!File.Exists(path))
        {
            throw new InvalidInputException(
                $"There is no tokenizer at {path}; name a tokenizer.json or a directory that has one.");
        }

        foreach (var (vocabulary, merges) in PairNames)
        {
            if (Path.GetFileName(path) == vocabulary || Path.GetFileName(path) == merges)
                return LoadPair(DirectoryOf(path), vocabulary, merges, options);
        }

        return LoadJson(path, options);
    }

    /// <summary>A tokenizer as options want it; files aside.</summary>
    /// <param name="tokenizer">A tokenizer that finds no special tokens in texts.</param>
    /// <param name="special">What special tokens in a text are.</param>
    internal static Tokenizer Apply(Tokenizer tokenizer, SpecialTokensInText special) => (special, tokenizer) switch
    {
        (SpecialTokensInText.Recognized, BytePairTokenizer pairs) => pairs.Recognizing(),
        (SpecialTokensInText.Recognized, ByteTokenizer) => new BytePairTokenizer(
            ByteTokenizer.Definition().Recognizing()),
        _ => tokenizer,
    };

    internal static byte[] ReadFile(string path)
    {
        try
        {
            return RegularFile.ReadAllBytes(path, RegularFile.TableLimit);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"Cannot read {path}: {exception.Message.TrimEnd('.')}; check that it exists and may be read.",
                exception);
        }
    }

    private static Tokenizer LoadDirectory(string directory, TokenizerOptions options)
    {
        var json = Path.Combine(directory, TokenizerJsonWriter.FileName);
        if (File.Exists(json))
            return LoadJson(json, options);
        foreach (var (vocabulary, merges) in PairNames)
        {
            if (File.Exists(Path.Combine(directory, vocabulary)))
                return LoadPair(directory, vocabulary, merges, options);
        }

        throw new InvalidInputException(
            ForeignTokenizers.DescribeDirectory(directory)
            ?? $"The directory {directory} has no tokenizer: neither tokenizer.json nor vocab.json with merges.txt; "
                + "add one.");
    }

    private static Tokenizer LoadJson(string path, TokenizerOptions options)
    {
        var content = ReadFile(path);
        if (ForeignTokenizers.Describe(path, content) is { } foreign)
            throw new InvalidInputException(foreign);
        var (name, id) = EndOfText(DirectoryOf(path), options);
        return Create(TokenizerJsonReader.Read(path, content, name, id), options);
    }

    private static Tokenizer LoadPair(string directory, string vocabulary, string merges, TokenizerOptions options)
    {
        var (name, id) = EndOfText(directory, options);
        return Create(
            VocabularyAndMergesReader.Read(
                Path.Combine(directory, vocabulary), Path.Combine(directory, merges), name, id), options);
    }

    private static (EndOfTextName? Name, long? Id) EndOfText(string directory, TokenizerOptions options)
    {
        if (options.EndOfText is { } wanted)
            return (new EndOfTextName("The end-of-text token asked for", wanted), null);
        var name = SpecialTokenFiles.FindName(directory);
        return (name, name is null ? SpecialTokenFiles.FindId(directory) : null);
    }

    private static Tokenizer Create(BytePairDefinition definition, TokenizerOptions options) =>
        Apply(
            ByteTokenizer.Matches(definition) ? new ByteTokenizer() : new BytePairTokenizer(definition),
            options.SpecialTokens);

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;
}
