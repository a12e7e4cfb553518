namespace AnTransformer.Training.Data;

/// <summary>
/// An ordered list of token shards, read as windows of T + 1 tokens (T inputs and the T targets one token later) at
/// stride T. A window never crosses from one shard to the next. Safe to read from several threads at once.
/// </summary>
public sealed class TokenDataset : IDisposable
{
    private readonly TokenShard[] _shards;
    private readonly int? _vocabularySize;

    private TokenDataset(string name, TokenShard[] shards, DatasetInfo? info, int? vocabularySize)
    {
        Name = name;
        TooSmallRemedy = "use a shorter sequence length, more data or a larger validation fraction";
        Info = info;
        _shards = shards;
        _vocabularySize = vocabularySize;
        TokenCount = shards.Sum(shard => shard.Length);
    }

    /// <summary>What errors call this data set, such as "train split of 'data/austen'".</summary>
    public string Name { get; }

    /// <summary>What errors advise when there is not a single window.</summary>
    private string TooSmallRemedy { get; init; }

    /// <summary>The shards in the order of their tokens.</summary>
    public IReadOnlyList<TokenShard> Shards => _shards;

    /// <summary>What <c>dataset.json</c> says; null for shards from elsewhere.</summary>
    public DatasetInfo? Info { get; }

    /// <summary>Number of tokens in all shards.</summary>
    public long TokenCount { get; }

    /// <summary>2 (uint16) or 4 (uint32), the same for all shards.</summary>
    public int BytesPerToken => _shards[0].BytesPerToken;

    /// <summary>
    /// Opens a split of a directory (<c>train-*.bin</c> and <c>val-*.bin</c> as <c>angpt prepare</c> names them, or
    /// <c>*_train_*.bin</c>, <c>*_train.bin</c>, <c>*_val_*.bin</c> and <c>*_val.bin</c> as llm.c does), a single
    /// shard, or the shards that match a pattern with <c>*</c>, <c>?</c> or <c>**</c>. Shards are ordered ordinally by
    /// name. <c>dataset.json</c>, where there is one, is checked against the shards.
    /// </summary>
    /// <param name="path">A directory, a file or a pattern.</param>
    /// <param name="split">Which files of a directory to take; without meaning for a file or a pattern.</param>
    /// <param name="vocabularySize">If given, every token read is checked to be below it.</param>
    /// <exception cref="InvalidInputException">
    /// There are no such shards, or one is unusable or contradicts the others.
    /// </exception>
    public static TokenDataset Open(string path, DatasetSplit split, int? vocabularySize = null)
    {
        var splitName = split == DatasetSplit.Train ? "train" : "val";
        if (!Directory.Exists(path))
        {
            var matches = FilePattern.Expand(path);
            if (matches.Count == 0)
            {
                throw new InvalidInputException(
                    $"There are no token shards at '{path}': it is neither a directory nor a file nor " +
                    "a pattern that matches any; make token shards with `angpt prepare`.");
            }
            return Open($"'{path}'", matches, null, vocabularySize);
        }
        var info = DatasetInfo.Load(path);
        string[] patterns = info is null
            ? [$"{splitName}-*.bin", $"*_{splitName}_*.bin", $"*_{splitName}.bin", $"{splitName}.bin"]
            : [$"{splitName}-*.bin"];
        var files = patterns.Select(pattern => FilePattern.Expand(Path.Combine(path, pattern)))
            .FirstOrDefault(found => found.Count > 0);
        if (files is null)
        {
            throw new InvalidInputException(
                $"'{path}' has no {(split == DatasetSplit.Train ? "training" : "validation")} shards " +
                $"({string.Join(" or ", patterns)}); " + (split == DatasetSplit.Train
                    ? "make them with `angpt prepare`."
                    : "prepare the data with a validation fraction above 0 and at least two documents."));
        }
        var dataset = Open($"the {splitName} split of '{path}'", files, info, vocabularySize);
        try
        {
            dataset.CheckAgainstInfo(path, split);
            return dataset;
        }
        catch
        {
            dataset.Dispose();
            throw;
        }
    }

    /// <summary>Opens the tokens of a text that was prepared for this alone: errors name the text.</summary>
    /// <param name="directory">The prepared data, all of it in the training split.</param>
    /// <param name="text">The text's path.</param>
    /// <param name="vocabularySize">Every token read is checked to be below it.</param>
    /// <exception cref="InvalidInputException">A shard is unusable.</exception>
    public static TokenDataset OpenText(string directory, string text, int vocabularySize)
    {
        var prepared = Open(directory, DatasetSplit.Train, vocabularySize);
        return new TokenDataset($"the text '{text}'", prepared._shards, prepared.Info, vocabularySize)
        {
            TooSmallRemedy = "give more text",
        };
    }

    /// <summary>Opens the named shards in the order given.</summary>
    /// <param name="shardPaths">At least one file.</param>
    /// <param name="vocabularySize">If given, every token read is checked to be below it.</param>
    /// <exception cref="InvalidInputException">
    /// There is no shard, or one is unusable or contradicts the others.
    /// </exception>
    public static TokenDataset Open(IEnumerable<string> shardPaths, int? vocabularySize = null)
    {
        var paths = shardPaths.ToList();
        return paths.Count > 0
            ? Open(
                paths.Count == 1 ? $"'{paths[0]}'" : $"'{paths[0]}' and {paths.Count - 1} more", paths, null,
                vocabularySize)
            : throw new InvalidInputException("The list of token shards is empty; name at least one.");
    }

    /// <summary>The number of windows of <c>T + 1</c> tokens at stride <c>T</c>.</summary>
    /// <param name="sequenceLength">T.</param>
    /// <exception cref="InvalidInputException">There is not a single window.</exception>
    public long WindowCount(int sequenceLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequenceLength, 1);
        var count = _shards.Sum(shard => WindowsIn(shard, sequenceLength));
        if (count > 0)
            return count;
        throw new InvalidInputException($"{char.ToUpperInvariant(Name[0])}{Name[1..]} is too small: its longest shard "
            + "has " +
            $"{_shards.Max(shard => shard.Length)} tokens and one window needs {sequenceLength + 1L}; "
                + $"{TooSmallRemedy}.");
    }

    /// <summary>Reads a window.</summary>
    /// <param name="window">In <c>[0, WindowCount)</c>, in the order of the data.</param>
    /// <param name="sequenceLength">T.</param>
    /// <param name="inputs">Receives T tokens.</param>
    /// <param name="targets">Receives T tokens: those that follow the inputs.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such window.</exception>
    /// <exception cref="InvalidInputException">A token id is outside the vocabulary given at opening.</exception>
    public void CopyWindow(long window, int sequenceLength, Span<long> inputs, Span<long> targets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequenceLength, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(window);
        if (inputs.Length != sequenceLength)
            throw new ArgumentException($"Must hold {sequenceLength} tokens.", nameof(inputs));
        if (targets.Length != sequenceLength)
            throw new ArgumentException($"Must hold {sequenceLength} tokens.", nameof(targets));
        var remaining = window;
        foreach (var shard in _shards)
        {
            var windows = WindowsIn(shard, sequenceLength);
            if (remaining >= windows)
            {
                remaining -= windows;
                continue;
            }
            var offset = remaining * sequenceLength;
            if (_vocabularySize is { } vocabularySize)
                shard.Validate(vocabularySize, offset, sequenceLength + 1L);
            shard.CopyTo(offset, inputs);
            inputs[1..].CopyTo(targets);
            shard.CopyTo(offset + sequenceLength, targets[^1..]);
            return;
        }
        throw new ArgumentOutOfRangeException(nameof(window), window, "There are fewer windows.");
    }

    /// <summary>Checks every token of every shard against a vocabulary; reads all files once.</summary>
    /// <param name="vocabularySize">Every id must be in <c>[0, vocabularySize)</c>.</param>
    /// <exception cref="InvalidInputException">
    /// An id is out of range; the message names file, token offset and id.
    /// </exception>
    public void Validate(int vocabularySize)
    {
        foreach (var shard in _shards)
            shard.Validate(vocabularySize);
    }

    /// <summary>Unmaps the shards.</summary>
    public void Dispose()
    {
        foreach (var shard in _shards)
            shard.Dispose();
    }

    private static long WindowsIn(TokenShard shard, int sequenceLength) => (shard.Length - 1) / sequenceLength;

    private static TokenDataset Open(string name, IReadOnlyList<string> paths, DatasetInfo? info, int? vocabularySize)
    {
        var shards = new List<TokenShard>(paths.Count);
        try
        {
            foreach (var path in paths)
            {
                var shard = TokenShard.Open(path);
                shards.Add(shard);
                if (shard.BytesPerToken != shards[0].BytesPerToken)
                {
                    throw new InvalidInputException($"'{path}' has {shard.BytesPerToken} bytes per token and "
                        + $"'{paths[0]}' " +
                        $"{shards[0].BytesPerToken}; shards of one data set must be prepared with one tokenizer.");
                }
            }
            return new TokenDataset(name, [.. shards], info, vocabularySize);
        }
        catch
        {
            shards.ForEach(shard => shard.Dispose());
            throw;
        }
    }

    private void CheckAgainstInfo(string directory, DatasetSplit split)
    {
        if (Info is null)
            return;
        var expected = split == DatasetSplit.Train ? Info.TrainTokens : Info.ValidationTokens;
        if (TokenCount != expected)
        {
            throw new InvalidInputException($"{char.ToUpperInvariant(Name[0])}{Name[1..]} has {TokenCount} tokens, but "
                + "" +
                $"{DatasetInfo.FileName} says {expected}: a shard is missing or foreign; prepare the data again.");
        }
        if (BytesPerToken != Info.BytesPerToken)
        {
            throw new InvalidInputException($"The shards in '{directory}' have {BytesPerToken} bytes per token, but " +
                $"{DatasetInfo.FileName} says {Info.BytesPerToken}; prepare the data again.");
        }
        if (_vocabularySize is { } size && size < Info.VocabularySize)
        {
            throw new InvalidInputException(
                $"'{directory}' was prepared for a vocabulary of {Info.VocabularySize} entries, but " +
                $"the model has {size}; prepare the data with the model's tokenizer.");
        }
    }
}
