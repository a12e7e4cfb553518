using System.Numerics;
using System.Runtime.InteropServices;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>One merge of a byte-pair encoding: where Left stands before Right, both become Merged.</summary>
/// <param name="Left">Id of the first token.</param>
/// <param name="Right">Id of the second token.</param>
/// <param name="Merged">Id of the token of both.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BytePairMerge(int Left, int Right, int Merged);

/// <summary>
/// The merges of a byte-pair encoding and their application to words: always the merge that comes first in the list, at
/// its leftmost place, until none applies. This is what GPT-2 and Hugging Face <c>tokenizers</c> do.
/// </summary>
internal sealed class BytePairMerges
{
    /// <summary>Up to this many bytes a word is merged by repeated linear search, which beats a heap there.</summary>
    private const int ShortWord = 64;

    private const ulong None = ulong.MaxValue;

    // Open addressing. A key is the pair plus one (0 is a free slot), a value the rank above the merged id.
    private readonly (ulong Key, ulong Value)[] _table;
    private readonly int _shift;
    private readonly int[] _byteIds;
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>>? _wholeWords;

    /// <summary>Creates the table.</summary>
    /// <param name="merges">In order of precedence; of two merges of one pair the last counts.</param>
    /// <param name="byteIds">The id of each of the 256 bytes.</param>
    /// <param name="wholeWords">Words that are tokens whatever the merges say, or null.</param>
    public BytePairMerges(IReadOnlyList<BytePairMerge> merges, int[] byteIds, Dictionary<byte[], int>? wholeWords)
    {
        _byteIds = byteIds;
        _wholeWords = wholeWords?.GetAlternateLookup<ReadOnlySpan<byte>>();
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, merges.Count * 2));
        _table = new (ulong, ulong)[size];
        _shift = 64 - BitOperations.Log2((uint)size);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right, merged) = merges[rank];
            var key = Key(left, right);
            var slot = Slot(key);
            while (_table[slot].Key != 0 && _table[slot].Key != key)
                slot = (slot + 1) & (size - 1);
            _table[slot] = (key, ((ulong)rank << 32) | (uint)merged);
        }
    }

    /// <summary>Encodes one word.</summary>
    /// <param name="word">Any bytes.</param>
    /// <param name="ids">Receives the ids; as long as the word.</param>
    /// <returns>The number of ids.</returns>
    public int Encode(ReadOnlySpan<byte> word, Span<int> ids)
    {
        if (_wholeWords is { } words && words.TryGetValue(word, out var id))
        {
            ids[0] = id;
            return 1;
        }

        for (var i = 0; i < word.Length; i++)
            ids[i] = _byteIds[word[i]];
        ids = ids[..word.Length];
        return word.Length <= ShortWord ? MergeShort(ids) : MergeLong(ids);
    }

    private int MergeShort(Span<int> ids)
    {
        Span<ulong> merges = stackalloc ulong[ShortWord];
        var count = ids.Length;
        for (var i = 0; i + 1 < count; i++)
            merges[i] = Find(ids[i], ids[i + 1]);
        while (true)
        {
            var best = None;
            var at = 0;
            for (var i = 0; i + 1 < count; i++)
            {
                if (merges[i] < best)
                {
                    best = merges[i];
                    at = i;
                }
            }

            if (best == None)
                return count;
            ids[at] = (int)(uint)best;
            count--;
            for (var i = at + 1; i < count; i++)
            {
                ids[i] = ids[i + 1];
                merges[i] = merges[i + 1];
            }

            if (at > 0)
                merges[at - 1] = Find(ids[at - 1], ids[at]);
            if (at + 1 < count)
                merges[at] = Find(ids[at], ids[at + 1]);
        }
    }

    // A linked list of symbols and a heap of the merges that apply, as (rank, place); outdated entries are skipped.
    private int MergeLong(Span<int> ids)
    {
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var pairs = new List<(int Place, ulong Order)>();
        for (var i = 0; i < ids.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < ids.Length && Find(ids[i], ids[i + 1]) is var merge and not None)
                pairs.Add((i, Order(merge, i)));
        }

        var queue = new PriorityQueue<int, ulong>(pairs);
        while (queue.TryDequeue(out var place, out var order))
        {
            if (ids[place] < 0 || next[place] == ids.Length)
                continue;
            var merge = Find(ids[place], ids[next[place]]);
            if (merge == None || Order(merge, place) != order)
                continue;

            var removed = next[place];
            ids[place] = (int)(uint)merge;
            ids[removed] = -1;
            next[place] = next[removed];
            if (next[place] < ids.Length)
                previous[next[place]] = place;

            if (previous[place] >= 0 && Find(ids[previous[place]], ids[place]) is var before and not None)
                queue.Enqueue(previous[place], Order(before, previous[place]));
            if (next[place] < ids.Length && Find(ids[place], ids[next[place]]) is var after and not None)
                queue.Enqueue(place, Order(after, place));
        }

        var count = 0;
        for (var i = 0; i < ids.Length; i = next[i])
            ids[count++] = ids[i];
        return count;
    }

    private static ulong Order(ulong merge, int place) => (merge & 0xFFFFFFFF_00000000) | (uint)place;

    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    private int Slot(ulong key) => (int)((key * 0x9E3779B97F4A7C15) >> _shift);

    private ulong Find(int left, int right)
    {
        var key = Key(left, right);
        var table = _table;
        for (var slot = Slot(key); ; slot = (slot + 1) & (table.Length - 1))
        {
            ref var entry = ref table[slot];
            if (entry.Key == key)
                return entry.Value;
            if (entry.Key == 0)
                return None;
        }
    }
}
