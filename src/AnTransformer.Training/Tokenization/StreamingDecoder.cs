using System.Text;

namespace AnTransformer.Training.Tokenization;

/// <summary>
/// Turns tokens into text as they come: a character whose bytes are spread over several tokens appears with the last of
/// them. Serves one stream at a time.
/// </summary>
/// <param name="tokenizer">The tokenizer of the ids.</param>
public sealed class StreamingDecoder(Tokenizer tokenizer)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>Adds a token.</summary>
    /// <param name="token">An id.</param>
    /// <returns>The text that is complete now, often the token's; invalid bytes in it are U+FFFD.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The id is not in the vocabulary.</exception>
    public string Append(int token) => Convert(tokenizer.GetBytes(token), flush: false);

    /// <summary>Ends the stream and makes the decoder ready for another.</summary>
    /// <returns>U+FFFD when the last character is incomplete, otherwise the empty string.</returns>
    public string Flush() => Convert([], flush: true);

    private string Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_decoder.GetCharCount(bytes, flush)];
        var count = _decoder.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}
