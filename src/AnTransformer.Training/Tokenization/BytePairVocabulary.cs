using System.Text;

namespace AnTransformer.Training.Tokenization;

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
    private readonly Dictionary<int, string> _added = [];
    private readonly HashSet<int> _special = [];

    /// <summary>Adds a token of the model's vocabulary.</summary>
    public void Add(string name, long id)
    {
        CheckId(name, id);
        if (!_ids.TryAdd(name, (int)id))
            throw new InvalidInputException($"{path}: the vocabulary has the token \"{Printable.Excerpt(name)}\" twice; remove one of them.");
        if (!_names.TryAdd((int)id, name))
        {
            throw new InvalidInputException(
                $"{path}: the tokens \"{Printable.Excerpt(_names[(int)id])}\" and \"{Printable.Excerpt(name)}\" both have the id {id}; give each token its own.");
        }
    }

    /// <summary>Adds an added token; one that the model's vocabulary has, too, must have the same id there.</summary>
    public void AddAdded(string content, long id, bool special)
    {
        CheckId(content, id);
        if (_ids.TryGetValue(content, out var known) && known != id)
        {
            throw new InvalidInputException(
                $"{path}: the added token \"{Printable.Excerpt(content)}\" has the id {id} but the vocabulary says {known}; make them agree.");
        }

        if (_names.TryGetValue((int)id, out var name) && name != content)
        {
            throw new InvalidInputException(
                $"{path}: the added token \"{Printable.Excerpt(content)}\" has the id {id}, that of \"{Printable.Excerpt(name)}\"; give each token its own.");
        }

        _names[(int)id] = content;
        _added[(int)id] = content;
        if (special)
            _special.Add((int)id);
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
                $"{file}: {place} merges \"{Printable.Excerpt(left)}\" and \"{Printable.Excerpt(right)}\", but \"{Printable.Excerpt(name)}\" is not in the vocabulary; the file is "
                + "damaged or belongs to another vocabulary.");
    }

    /// <summary>The ordinary tokenizer of this vocabulary and these merges, with GPT-2's pre-tokenization.</summary>
    public BytePairDefinition ToDefinition()
    {
        var endOfText = FindEndOfText();
        if (endOfText is { } end)
            _special.Add(end);
        var size = _names.Count == 0 ? 0 : _names.Keys.Max() + 1;
        var names = new string?[size];
        var tokens = new byte[size][];
        Array.Fill(tokens, []);
        foreach (var (id, name) in _names)
        {
            names[id] = name;
            if (_special.Contains(id))
                continue;
            tokens[id] = (_added.ContainsKey(id) ? null : ByteLevelAlphabet.ToBytes(name)) ?? Encoding.UTF8.GetBytes(name);
        }

        return new BytePairDefinition
        {
            Names = names,
            Tokens = tokens,
            ByteIds = FindByteIds(),
            Merges = _merges,
            EndOfTextId = endOfText,
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
            foreach (var (id, content) in _added)
            {
                if (content == name)
                    return id;
            }

            if (_ids.TryGetValue(name, out var known) && !_merged.Contains(known))
                return known;
        }

        return null;
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
                    $"{path}: the vocabulary has no token for the byte 0x{value:X2} (\"{Printable.Excerpt(name)}\"), so not every text could be "
                    + "encoded; use a byte-level BPE vocabulary with all 256 bytes.");
            }
        }

        return ids;
    }

    private void CheckId(string name, long id)
    {
        if (id is < 0 or > LargestId)
        {
            throw new InvalidInputException(
                $"{path}: the token \"{Printable.Excerpt(name)}\" has the id {id}, outside 0 to {LargestId}; correct it.");
        }
    }
}
