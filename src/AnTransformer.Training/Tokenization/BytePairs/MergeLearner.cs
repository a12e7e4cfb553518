using System.Runtime.InteropServices;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>
/// Finds the merges for counted words. Keeps the count of every pair and the words it occurs in up to date, so that a
/// merge costs only what it changes; a heap, whose counts may be too large but never too small, gives the most frequent
/// pair.
/// </summary>
internal sealed class MergeLearner
{
    private readonly int _minimumFrequency;

    // The symbols of word w are _symbols[_starts[w].._starts[w] + _lengths[w]]; they shrink in place.
    private readonly int[] _symbols;
    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly long[] _counts;

    private readonly Dictionary<long, int> _pairIndices = [];
    private readonly List<Pair> _pairs = [];
    private readonly PriorityQueue<int, Frequency> _queue = new(new MostFrequentFirst());
    private readonly List<int> _grown = [];

    public MergeLearner(Dictionary<byte[], long> words, int minimumFrequency)
    {
        _minimumFrequency = minimumFrequency;
        var byteIds = new int[256];
        foreach (var value in ByteLevelAlphabet.BytesInOrder)
        {
            byteIds[value] = Tokens.Count;
            Tokens.Add([value]);
        }

        _symbols = new int[words.Keys.Sum(word => (long)word.Length)];
        _starts = new int[words.Count];
        _lengths = new int[words.Count];
        _counts = new long[words.Count];
        var (index, start) = (0, 0);
        foreach (var (word, count) in words)
        {
            for (var i = 0; i < word.Length; i++)
                _symbols[start + i] = byteIds[word[i]];
            (_starts[index], _lengths[index], _counts[index]) = (start, word.Length, count);
            for (var i = 1; i < word.Length; i++)
                Increase(_symbols[start + i - 1], _symbols[start + i], index);
            start += word.Length;
            index++;
        }

        QueueGrown();
    }

    /// <summary>The bytes of each token, by id.</summary>
    public List<byte[]> Tokens { get; } = [];

    /// <summary>The merges, first learned first.</summary>
    public List<BytePairMerge> Merges { get; } = [];

    /// <summary>Merges until there are so many tokens or no pair is frequent enough.</summary>
    /// <param name="tokenCount">The number of tokens to reach, with the 256 bytes.</param>
    /// <param name="report">Called now and then with the number of tokens.</param>
    /// <param name="cancellationToken">Ends learning early.</param>
    public void Learn(int tokenCount, Action<int> report, CancellationToken cancellationToken)
    {
        while (Tokens.Count < tokenCount && _queue.TryDequeue(out var index, out var frequency))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ref var pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
            if (pair.Count != frequency.Count)
            {
                if (pair.Count >= _minimumFrequency)
                    _queue.Enqueue(index, frequency with { Count = pair.Count });
                continue;
            }

            if (pair.Count < _minimumFrequency)
                break;
            Apply(index);
            if (Merges.Count % 128 == 0)
                report(Tokens.Count);
        }

        report(Tokens.Count);
    }

    private void Apply(int index)
    {
        var (left, right, words) = (_pairs[index].Left, _pairs[index].Right, _pairs[index].Words);

        // Always a new token: merges are applied everywhere and from the left, so equal bytes are never left in two
        // ways (ab|c and a|bc) for a second merge to join.
        var merged = Tokens.Count;
        Tokens.Add([.. Tokens[left], .. Tokens[right]]);
        Merges.Add(new BytePairMerge(left, right, merged));

        foreach (var word in words)
            ApplyToWord(word, left, right, merged);
        ref var pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
        pair.Count = 0;
        pair.Words = [];
        QueueGrown();
    }

    private void ApplyToWord(int word, int left, int right, int merged)
    {
        var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
        var written = 0;
        for (var i = 0; i < symbols.Length; i++, written++)
        {
            if (symbols[i] != left || i + 1 == symbols.Length || symbols[i + 1] != right)
            {
                symbols[written] = symbols[i];
                continue;
            }

            if (written > 0)
            {
                Decrease(symbols[written - 1], left, word);
                Increase(symbols[written - 1], merged, word);
            }

            if (i + 2 < symbols.Length)
            {
                Decrease(right, symbols[i + 2], word);
                Increase(merged, symbols[i + 2], word);
            }

            symbols[written] = merged;
            i++;
        }

        _lengths[word] = written;
    }

    private void Decrease(int left, int right, int word) =>
        CollectionsMarshal.AsSpan(_pairs)[_pairIndices[Key(left, right)]].Count -= _counts[word];

    private void Increase(int left, int right, int word)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairIndices, Key(left, right), out var known);
        if (!known)
        {
            index = _pairs.Count;
            _pairs.Add(new Pair { Left = left, Right = right, Words = [] });
        }

        ref var pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
        pair.Count += _counts[word];
        if (pair.Words.Count == 0 || pair.Words[^1] != word)
            pair.Words.Add(word);
        if (pair.HasGrown)
            return;
        pair.HasGrown = true;
        _grown.Add(index);
    }

    private void QueueGrown()
    {
        foreach (var index in _grown)
        {
            ref var pair = ref CollectionsMarshal.AsSpan(_pairs)[index];
            pair.HasGrown = false;
            if (pair.Count >= _minimumFrequency)
                _queue.Enqueue(index, new Frequency(pair.Count, pair.Left, pair.Right));
        }

        _grown.Clear();
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    [StructLayout(LayoutKind.Auto)]
    private struct Pair
    {
        public int Left;
        public int Right;
        public long Count;
        public List<int> Words;
        public bool HasGrown;
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Frequency(long Count, int Left, int Right);

    /// <summary>The order of merging: the frequent before the rare, then smaller ids first.</summary>
    private sealed class MostFrequentFirst : IComparer<Frequency>
    {
        public int Compare(Frequency x, Frequency y) =>
            x.Count != y.Count ? y.Count.CompareTo(x.Count)
            : x.Left != y.Left ? x.Left.CompareTo(y.Left)
            : x.Right.CompareTo(y.Right);
    }
}
