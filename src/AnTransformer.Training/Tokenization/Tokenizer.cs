using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Maps bytes to token ids and back. Works on bytes rather than strings so that every input round-trips, invalid UTF-8
/// included. Implementations are immutable and safe to use from several threads at once.
/// </summary>
public abstract class Tokenizer
{
    /// <summary>Number of ids: every id is in <c>[0, VocabularySize)</c>.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The id that separates documents, or null when the vocabulary has none.</summary>
    public abstract int? EndOfTextId { get; }

    /// <summary>The text of the token that separates documents, such as <c>&lt;|endoftext|&gt;</c>, or null.</summary>
    public virtual string? EndOfText => null;

    /// <summary>
    /// Identifies what this tokenizer computes: 32 hexadecimal digits, equal for equal vocabularies and rules whatever
    /// file they came from, so that data sets and checkpoints can say which tokenizer their ids belong to.
    /// </summary>
    public virtual string Fingerprint
    {
        get
        {
            var hash = new XxHash128();
            Span<byte> header = stackalloc byte[8];
            for (var id = 0; id < VocabularySize; id++)
            {
                var bytes = GetBytes(id);
                BinaryPrimitives.WriteInt32LittleEndian(header, id);
                BinaryPrimitives.WriteInt32LittleEndian(header[4..], bytes.Length);
                hash.Append(header);
                hash.Append(bytes);
            }

            BinaryPrimitives.WriteInt64LittleEndian(header, EndOfTextId ?? -1);
            hash.Append(header);
            return Convert.ToHexStringLower(hash.GetCurrentHash());
        }
    }

    /// <summary>
    /// Appends the ids of <paramref name="text"/> to <paramref name="tokens"/>; special tokens in it are plain text,
    /// unless the tokenizer was loaded with <see cref="SpecialTokensInText.Recognized"/>. None is added before or after
    /// it.
    /// </summary>
    /// <param name="text">Usually UTF-8; any bytes are accepted.</param>
    /// <param name="tokens">Receives the ids.</param>
    public abstract void Encode(ReadOnlySpan<byte> text, List<int> tokens);

    /// <summary>The bytes a token stands for; empty for special tokens such as end-of-text.</summary>
    /// <param name="token">An id.</param>
    /// <exception cref="ArgumentOutOfRangeException">The id is not in the vocabulary.</exception>
    public abstract ReadOnlySpan<byte> GetBytes(int token);

    /// <summary>Writes the tokenizer's file (<c>tokenizer.json</c>) into a directory.</summary>
    /// <param name="directory">An existing directory.</param>
    public abstract void Save(string directory);

    /// <summary>The ids of a string's UTF-8 bytes.</summary>
    /// <param name="text">Any text.</param>
    public List<int> Encode(string text)
    {
        var tokens = new List<int>();
        Encode(Encoding.UTF8.GetBytes(text), tokens);
        return tokens;
    }

    /// <summary>The bytes of a token sequence.</summary>
    /// <param name="tokens">Ids in the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public byte[] DecodeBytes(IEnumerable<int> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
            bytes.AddRange(GetBytes(token));
        return [.. bytes];
    }

    /// <summary>The text of a token sequence; bytes that are not UTF-8 become U+FFFD.</summary>
    /// <param name="tokens">Ids in the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(IEnumerable<int> tokens) => Encoding.UTF8.GetString(DecodeBytes(tokens));
}
