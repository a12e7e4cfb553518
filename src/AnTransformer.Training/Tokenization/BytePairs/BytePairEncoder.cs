using System.Buffers.Binary;
using System.Runtime.InteropServices;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>
/// Encodes words one after another and remembers the frequent ones. Its caches are bounded (3 MiB in all), and it
/// serves one thread at a time.
/// </summary>
internal sealed class BytePairEncoder(BytePairMerges merges)
{
    private const int SmallWord = 15;
    private const int IdsInEntry = 4;
    private const int SetBits = 14;

    private const int LargestCachedWord = 128;
    private const int LargeCacheBytes = 2 << 20;
    private const int LargeEntryOverhead = 100;

    // Words of up to 15 bytes and 4 ids: pairs of entries that share a cache line, the more recent first.
    private readonly Entry[] _small = new Entry[2 << SetBits];
    private readonly Dictionary<byte[], int[]> _large = new(ByteSequenceComparer.Instance);
    private int _largeBytes;

    private readonly int[] _pending = new int[1024];
    private int _pendingCount;
    private int[] _ids = new int[256];

    /// <summary>Appends the ids of a text, pre-tokenized as GPT-2 does.</summary>
    public void EncodeGpt2(ReadOnlySpan<byte> text, List<int> tokens)
    {
        while (text.Length > 0)
        {
            var length = Gpt2PreTokenizer.NextLength(text);
            EncodeWord(text, length, tokens);
            text = text[length..];
        }

        Flush(tokens);
    }

    /// <summary>Appends the ids of one word.</summary>
    public void EncodeWhole(ReadOnlySpan<byte> word, List<int> tokens)
    {
        if (word.Length > 0)
            EncodeWord(word, word.Length, tokens);
        Flush(tokens);
    }

    private void EncodeWord(ReadOnlySpan<byte> text, int length, List<int> tokens)
    {
        if (length > SmallWord)
        {
            EncodeLarge(text[..length], tokens);
            return;
        }

        var (low, high) = PackWord(text, length);
        var hash = (low * 0x9E3779B97F4A7C15) ^ (high * 0xC2B2AE3D27D4EB4F);
        hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15;
        var set = (int)(hash >> (64 - SetBits)) * 2;
        ref var first = ref _small[set];
        if (first.Low == low && first.High == high)
        {
            Emit(in first, tokens);
            return;
        }

        ref var second = ref _small[set + 1];
        if (second.Low == low && second.High == high)
        {
            (first, second) = (second, first);
            Emit(in first, tokens);
            return;
        }

        var count = merges.Encode(text[..length], _ids);
        if (count > IdsInEntry)
        {
            Append(_ids.AsSpan(0, count), tokens);
            return;
        }

        second = first;
        first = new Entry
        {
            Low = low,
            High = high,
            Id0 = _ids[0],
            Id1 = count > 1 ? _ids[1] : -1,
            Id2 = count > 2 ? _ids[2] : -1,
            Id3 = count > 3 ? _ids[3] : -1,
        };
        Emit(in first, tokens);
    }

    private void EncodeLarge(ReadOnlySpan<byte> word, List<int> tokens)
    {
        var lookup = _large.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (word.Length <= LargestCachedWord && lookup.TryGetValue(word, out var known))
        {
            Append(known, tokens);
            return;
        }

        // A giant word gets a buffer that is not kept.
        var ids = word.Length <= _ids.Length ? _ids : new int[word.Length];
        var count = merges.Encode(word, ids);
        Append(ids.AsSpan(0, count), tokens);
        if (word.Length > LargestCachedWord)
            return;

        var size = word.Length + (count * sizeof(int)) + LargeEntryOverhead;
        if (_largeBytes + size > LargeCacheBytes)
        {
            _large.Clear();
            _largeBytes = 0;
        }

        _largeBytes += size;
        lookup[word] = ids[..count];
    }

    // The bytes in order, zeros, and the length in the last of 16 bytes.
    private static (ulong Low, ulong High) PackWord(ReadOnlySpan<byte> text, int length)
    {
        if (text.Length < 16)
        {
            Span<byte> padded = stackalloc byte[16];
            padded.Clear();
            text[..length].CopyTo(padded);
            return (BinaryPrimitives.ReadUInt64LittleEndian(padded),
                BinaryPrimitives.ReadUInt64LittleEndian(padded[8..]) | ((ulong)length << 56));
        }

        var low = BinaryPrimitives.ReadUInt64LittleEndian(text);
        if (length < 8)
            return (low & ((1UL << (length * 8)) - 1), (ulong)length << 56);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(text[8..]) & ((1UL << ((length - 8) * 8)) - 1);
        return (low, high | ((ulong)length << 56));
    }

    private void Emit(in Entry entry, List<int> tokens)
    {
        if (_pendingCount > _pending.Length - IdsInEntry)
            Flush(tokens);
        var target = _pending.AsSpan(_pendingCount, IdsInEntry);
        target[0] = entry.Id0;
        target[1] = entry.Id1;
        target[2] = entry.Id2;
        target[3] = entry.Id3;
        _pendingCount += IdsInEntry + (entry.Id1 >> 31) + (entry.Id2 >> 31) + (entry.Id3 >> 31);
    }

    private void Append(ReadOnlySpan<int> ids, List<int> tokens)
    {
        if (_pendingCount + ids.Length > _pending.Length)
        {
            Flush(tokens);
            if (ids.Length > _pending.Length)
            {
                tokens.AddRange(ids);
                return;
            }
        }

        ids.CopyTo(_pending.AsSpan(_pendingCount));
        _pendingCount += ids.Length;
    }

    private void Flush(List<int> tokens)
    {
        tokens.AddRange(_pending.AsSpan(0, _pendingCount));
        _pendingCount = 0;
    }

    /// <summary>A word and its ids; those it does not need are -1, and an entry without a word has High = 0.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Low;
        public ulong High;
        public int Id0;
        public int Id1;
        public int Id2;
        public int Id3;
    }
}
