using System.Runtime.InteropServices;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Consecutive documents on their way through a worker to the writer.</summary>
internal sealed class DocumentBatch
{
    /// <summary>
    /// Documents are collected up to this size: enough to make the hand-over cheap, and to keep all workers busy.
    /// </summary>
    public const int TargetBytes = 1 << 18;

    private readonly TaskCompletionSource _tokenized = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ReadOnlyMemory<byte>> _texts = [];
    private readonly List<int> _ends = [];
    private readonly List<int> _tokens = [];

    public int Count => _texts.Count;

    public long Bytes { get; private set; }

    /// <summary>Documents with bytes that are not UTF-8, once tokenized.</summary>
    public long InvalidUtf8Documents { get; private set; }

    /// <summary>Bytes that are not UTF-8, once tokenized.</summary>
    public long InvalidUtf8Bytes { get; private set; }

    /// <summary>NUL bytes, once tokenized: no text has them, but text in another encoding does.</summary>
    public long NulBytes { get; private set; }

    /// <summary>Completes when the tokens are there.</summary>
    public Task Tokenized => _tokenized.Task;

    public void Add(ReadOnlyMemory<byte> text)
    {
        _texts.Add(text);
        Bytes += text.Length;
    }

    public void Tokenize(Tokenizer tokenizer)
    {
        // Most texts have a token per 3 to 4 bytes; reserving for that spares most of the growing, which for one very
        // large text would take several times its size.
        _tokens.EnsureCapacity((int)Math.Min(tokenizer is ByteTokenizer ? Bytes + Count : Bytes / 3, Array.MaxLength));
        foreach (var text in _texts)
        {
            tokenizer.Encode(text.Span, _tokens);
            if (tokenizer.EndOfTextId is { } endOfText)
                _tokens.Add(endOfText);
            _ends.Add(_tokens.Count);
            NulBytes += text.Span.Count((byte)0);
            var invalid = InvalidUtf8.CountBytes(text.Span);
            InvalidUtf8Bytes += invalid;
            InvalidUtf8Documents += invalid > 0 ? 1 : 0;
        }
        _tokenized.SetResult();
    }

    public int BytesOf(int document) => _texts[document].Length;

    public ReadOnlySpan<int> TokensOf(int document) =>
        CollectionsMarshal.AsSpan(_tokens)[(document == 0 ? 0 : _ends[document - 1]).._ends[document]];
}
