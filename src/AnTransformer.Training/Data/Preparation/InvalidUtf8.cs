using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>Counts bytes that are not UTF-8.</summary>
internal static class InvalidUtf8
{
    /// <returns>Number of bytes that belong to no character; 0 for valid UTF-8.</returns>
    public static long CountBytes(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
            return 0;
        var invalid = 0L;
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(text, out _, out var length) != OperationStatus.Done)
                invalid += length;
            text = text[length..];
        }
        return invalid;
    }
}
