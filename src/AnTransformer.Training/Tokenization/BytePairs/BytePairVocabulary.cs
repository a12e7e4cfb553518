using System.Text;
using AnTransformer.Training.Tokenization.Files;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>The token texts of a file and their ids, on the way to a <see cref="BytePairDefinition"/>.</summary>
/// <param name="path">The file, for messages.</param>
internal sealed class BytePairVocabulary(string path)
{
    public const string EndOfText = "<|endoftext|>";

    // Far beyond any real vocabulary; the tables are indexed by id.
    private const int LargestId = (1 << 24) - 1;

    private static readonly string[] EndOfTextNames = [EndOfText, "</s>", "<|end_of_text|>", "<eos>"];

    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<int, string> _names = [];
    private readonly List<BytePairMerge> _merges = [];
    private readonly HashSet<int> _merged = [];
    private readonly Dictionary<int, AddedToken> _added = [];
    private readonly HashSet<string> _addedNames = [];
    private int _nextAdded;

    /// <summary>Adds a token of the model's vocabulary.</summary>
    public void Add(string name, long id)
    {
        CheckId(name, id);
        if (!_ids.TryAdd(name, (int)id))
            throw new InvalidInputException(
                $"{path}: the vocabulary has the token \"{Printable.Excerpt(name)}\" twice; remove one of them.");
        if (!_names.TryAdd((int)id, name))
        {
            throw new InvalidInputException(
                $"{path}: the tokens \"{Printable.Excerpt(_names[(int)id])}\" and \"{Printable.Excerpt(name)}\" both "
                    + $"have the id {id}; give each token its own.");
        }
    }

    /// <summary>
    /// Adds an added token. One that the model's vocabulary has, too, must have the same id there; the others must have
    /// the ids that follow, since those are what Hugging Face <c>tokenizers</c> gives them whatever the file says.
    /// </summary>
    public void AddAdded(AddedToken token)
    {
        var (content, id) = (token.Content, token.Id);
        CheckId(content, id);
        if (!_addedNames.Add(content))
            throw new InvalidInputException(
                $"{path}: the added token \"{content}\" is there twice; remove one of them.");
        if (_ids.TryGetValue(content, out var known) && known != id)
        {
            throw new InvalidInputException(
                $"{path}: the added token \"{Printable.Excerpt(content)}\" has the id {id} but the vocabulary says "
                    + $"{known}; make them agree.");
        }

        if (_names.TryGetValue(id, out var name) && name != content)
        {
            throw new InvalidInputException(
                $"{path}: the added token \"{Printable.Excerpt(content)}\" has the id {id}, that of "
                    + $"\"{Printable.Excerpt(name)}\"; give each token its own.");
        }

        var next = Math.Max(_ids.Count, _nextAdded);
        if (!_ids.ContainsKey(content) && id != next)
        {
            throw new InvalidInputException(
                $"{path}: the added token \"{content}\" has the id {id}, but Hugging Face tokenizers would give it "
                    + $"{next}, the next "
                + "that is free; make the ids of added tokens follow the vocabulary without a gap.");
        }

        _nextAdded = Math.Max(_nextAdded, id + 1);
        _names[id] = content;
        _added[id] = token;
    }

    /// <summary>Adds the next merge.</summary>
    /// <param name="left">The text of the first token.</param>
    /// <param name="right">The text of the second token.</param>
    /// <param name="file">The file that lists it, for messages.</param>
    /// <param name="place">Where in the file, for messages.</param>
    public void AddMerge(string left, string right, string file, string place)
    {
        var merge = new BytePairMerge(Find(left), Find(right), Find(left + right));
        _merges.Add(merge);
        _merged.Add(merge.Merged);

        int Find(string name) => _ids.TryGetValue(name, out var id)
            ? id
            : throw new InvalidInputException(
                $"{file}: {place} merges \"{Printable.Excerpt(left)}\" and \"{Printable.Excerpt(right)}\", but "
                    + $"\"{Printable.Excerpt(name)}\" is not in the vocabulary; the file is "
                + "damaged or belongs to another vocabulary.");
    }

    /// <summary>The ordinary tokenizer of this vocabulary and these merges, with GPT-2's pre-tokenization.</summary>
    /// <param name="endOfTextName">The token between documents, where somebody says so.</param>
    /// <param name="endOfTextId">Its id where nothing else tells; ignored unless it is a special token's.</param>
    /// <exception cref="InvalidInputException">
    /// A byte has no token, or the token between documents cannot be that.
    /// </exception>
    public BytePairDefinition ToDefinition(EndOfTextName? endOfTextName, long? endOfTextId)
    {
        var usual = FindEndOfText();
        var endOfText = endOfTextName is null ? usual ?? FindSpecial(endOfTextId) : Find(endOfTextName);
        var size = _names.Count == 0 ? 0 : _names.Keys.Max() + 1;
        var names = new string?[size];
        var tokens = new byte[size][];
        Array.Fill(tokens, []);
        foreach (var (id, name) in _names)
        {
            names[id] = name;
            var added = _added.GetValueOrDefault(id);
            if (id != endOfText && added is not { Special: true })
                tokens[id] = (added is null ? ByteLevelAlphabet.ToBytes(name) : null) ?? Encoding.UTF8.GetBytes(name);
        }

        return new BytePairDefinition
        {
            Names = names,
            Tokens = tokens,
            ByteIds = FindByteIds(),
            Merges = _merges,
            EndOfTextId = endOfText,
            EndOfTextIsChosen = endOfText != usual,

            // End-of-text is special to us even where the file forgot to say so.
            AddedTokens = [.. _added.Values.Select(
                token => token.Id == endOfText ? token with { Special = true } : token)],
        };
    }

    /// <summary>The model's vocabulary by bytes, without the added tokens.</summary>
    public Dictionary<byte[], int> ToWords()
    {
        var words = new Dictionary<byte[], int>(ByteSequenceComparer.Instance);
        foreach (var (name, id) in _ids)
        {
            if (!_added.ContainsKey(id) && ByteLevelAlphabet.ToBytes(name) is { Length: > 0 } bytes)
                words[bytes] = id;
        }

        return words;
    }

    // A token counts as end-of-text only if ordinary text cannot produce it.
    private int? FindEndOfText()
    {
        foreach (var name in EndOfTextNames)
        {
            if (FindId(name) is { } id && CanEndText(id))
                return id;
        }

        return null;
    }

    private int? FindId(string name)
    {
        foreach (var (id, token) in _added)
        {
            if (token.Content == name)
                return id;
        }

        return _ids.TryGetValue(name, out var known) ? known : null;
    }

    private int? FindSpecial(long? id) =>
        id is >= 0 and <= LargestId && _added.TryGetValue((int)id, out var token) && token.Special ? token.Id : null;

    private bool CanEndText(int id)
        => _added.ContainsKey(id) || (!_merged.Contains(id) && ByteLevelAlphabet.ToBytes(_names[id])?.Length != 1);

    private int Find(EndOfTextName chosen)
    {
        if (FindId(chosen.Name) is not { } id)
        {
            throw new InvalidInputException(
                $"{chosen.Source} is \"{chosen.Name}\", which is not in the vocabulary of {path}; name one of its "
                    + "special tokens"
                + $"{Examples()}.");
        }

        return CanEndText(id)
            ? id
            : throw new InvalidInputException(
                $"{chosen.Source} is \"{chosen.Name}\", a token that ordinary text has, so that it cannot mark the end "
                    + "of one; name "
                + $"one of the special tokens of {path}{Examples()}.");
    }

    private string Examples()
    {
        var special = _added.Values.Where(token => token.Special).OrderBy(token => token.Id).Take(4)
            .Select(token => $"\"{token.Content}\"").ToList();
        return special.Count == 0 ? "" : $", such as {string.Join(" or ", special)}";
    }

    private int[] FindByteIds()
    {
        var ids = new int[256];
        for (var value = 0; value < ids.Length; value++)
        {
            var name = ByteLevelAlphabet.ToText([(byte)value]);
            if (!_ids.TryGetValue(name, out ids[value]))
            {
                throw new InvalidInputException(
                    $"{path}: the vocabulary has no token for the byte 0x{value:X2} (\"{Printable.Excerpt(name)}\"), "
                        + "so not every text could be "
                    + "encoded; use a byte-level BPE vocabulary with all 256 bytes.");
            }
        }

        return ids;
    }

    /// <summary>Checks that an id is one.</summary>
    public void CheckId(string name, long id)
    {
        if (id is < 0 or > LargestId)
        {
            throw new InvalidInputException(
                $"{path}: the token \"{Printable.Excerpt(name)}\" has the id {id}, outside 0 to {LargestId}; correct "
                    + "it.");
        }
    }
}
