using System.Runtime.InteropServices;
using AnTransformer.Training.Tokenization.Splitting;

namespace AnTransformer.Training.Tokenization.BytePairs;

/// <summary>
/// Counts the words of documents, on several threads, while the documents are still being read. The counts do not
/// depend on the number of threads.
/// </summary>
internal sealed class WordCounter(BytePairTrainerOptions options)
{
    private const int BatchBytes = 8 << 20;
    private const int PieceBytes = 256 << 10;

    private Batch _filling = new();
    private Batch _counting = new();

    /// <summary>The words and how often each occurs.</summary>
    public Dictionary<byte[], long> Words { get; private set; } = new(ByteSequenceComparer.Instance);

    /// <summary>Bytes of all documents.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Whether rare words were dropped to bound memory.</summary>
    public bool WordsForgotten { get; private set; }

    /// <summary>Counts the words of documents.</summary>
    /// <param name="documents">Read on the calling thread.</param>
    /// <param name="report">Called with the number of bytes read, on the calling thread.</param>
    /// <param name="cancellationToken">Ends counting early.</param>
    public void Count(
        IEnumerable<ReadOnlyMemory<byte>> documents, Action<long> report, CancellationToken cancellationToken)
    {
        var counting = Task.CompletedTask;
        try
        {
            foreach (var document in documents)
            {
                for (var start = 0; start < document.Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var piece = Batch.CutPiece(document.Span[start..]);
                    _filling.Add(piece);
                    start += piece.Length;
                    BytesRead += piece.Length;
                    if (_filling.Bytes < BatchBytes)
                        continue;
                    counting.GetAwaiter().GetResult();
                    counting = StartCounting(cancellationToken);
                    report(BytesRead);
                }
            }

            counting.GetAwaiter().GetResult();
            counting = StartCounting(cancellationToken);
        }
        finally
        {
            counting.GetAwaiter().GetResult();
        }

        report(BytesRead);
    }

    private Task StartCounting(CancellationToken cancellationToken)
    {
        (_filling, _counting) = (_counting, _filling);
        _filling.Clear();
        return Task.Run(() => CountBatch(cancellationToken), cancellationToken);
    }

    // Batches end at the same documents whatever the threads do, so forgetting words between batches is deterministic.
    private void CountBatch(CancellationToken cancellationToken)
    {
        var pieces = _counting.Pieces;
        var next = -1;
        Parallel.For(
            0,
            options.Threads,
            new ParallelOptions { MaxDegreeOfParallelism = options.Threads, CancellationToken = cancellationToken },
            _ =>
            {
                var words = new Dictionary<byte[], long>(ByteSequenceComparer.Instance);
                for (var i = Interlocked.Increment(ref next); i < pieces.Count; i = Interlocked.Increment(ref next))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    CountPiece(_counting.Text(pieces[i]), words);
                }

                lock (pieces)
                    Merge(words);
            });
        Forget();
    }

    private void CountPiece(ReadOnlySpan<byte> text, Dictionary<byte[], long> words)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<byte>>();
        while (text.Length > 0)
        {
            var length = Gpt2PreTokenizer.NextLength(text);
            for (var word = text[..length]; word.Length > 0;)
            {
                var part = word[..Math.Min(word.Length, options.MaximumWordBytes)];
                CollectionsMarshal.GetValueRefOrAddDefault(lookup, part, out _)++;
                word = word[part.Length..];
            }

            text = text[length..];
        }
    }

    private void Merge(Dictionary<byte[], long> words)
    {
        foreach (var (word, count) in words)
            CollectionsMarshal.GetValueRefOrAddDefault(Words, word, out _) += count;
    }

    private void Forget()
    {
        if (options.MaximumDistinctWords is not { } maximum || Words.Count <= maximum)
            return;
        WordsForgotten = true;
        var kept = 0;
        var least = 1L;
        foreach (var group in Words.Values.GroupBy(count => count).OrderByDescending(group => group.Key))
        {
            kept += group.Count();
            if (kept > maximum / 2)
            {
                least = group.Key + 1;
                break;
            }
        }

        Words = new Dictionary<byte[], long>(Words.Where(word => word.Value >= least), ByteSequenceComparer.Instance);
    }

    /// <summary>Copies of documents, and where they can be cut without changing their words.</summary>
    private sealed class Batch
    {
        private readonly List<byte> _bytes = [];

        public int Bytes => _bytes.Count;

        public List<Range> Pieces { get; } = [];

        public void Clear()
        {
            _bytes.Clear();
            Pieces.Clear();
        }

        public ReadOnlySpan<byte> Text(Range range) => CollectionsMarshal.AsSpan(_bytes)[range];

        public void Add(ReadOnlySpan<byte> piece)
        {
            Pieces.Add(_bytes.Count..(_bytes.Count + piece.Length));
            _bytes.AddRange(piece);
        }

        // Between two ASCII letters, a space always starts a word.
        public static ReadOnlySpan<byte> CutPiece(ReadOnlySpan<byte> document)
        {
            for (var i = PieceBytes; i + 1 < document.Length; i++)
            {
                if (document[i] == ' ' && IsLetter(document[i - 1]) && IsLetter(document[i + 1]))
                    return document[..i];
            }

            return document;

            static bool IsLetter(byte value) => char.IsAsciiLetter((char)value);
        }
    }
}
