using System.Text;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Server.Tokens;

/// <summary>
/// How a single token is shown: its text, or <c>bytes:\xe2\x82</c>, as OpenAI shows a part of a character. Different
/// tokens are shown differently, which keys of JSON objects need.
/// </summary>
internal static class TokenText
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The text of an id of the vocabulary.</summary>
    public static string Of(Tokenizer tokenizer, int id)
    {
        if (id == tokenizer.EndOfTextId)
            return tokenizer.EndOfText ?? "<|endoftext|>";
        var bytes = tokenizer.GetBytes(id);
        if (bytes.IsEmpty)
            return $"<|special:{id}|>";
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            var text = new StringBuilder("bytes:");
            foreach (var value in bytes)
                text.Append($"\\x{value:x2}");
            return text.ToString();
        }
    }
}
