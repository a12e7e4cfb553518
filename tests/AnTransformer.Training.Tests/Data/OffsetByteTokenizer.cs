using System.Globalization;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Training.Tests.Data;

/// <summary>A token per byte, moved up by an offset to exercise larger vocabularies; the last id ends a text.</summary>
internal sealed class OffsetByteTokenizer(int offset = 0, bool endOfText = true) : Tokenizer
{
    public override int VocabularySize => offset + 256 + (endOfText ? 1 : 0);

    public override int? EndOfTextId => endOfText ? offset + 256 : null;

    public override void Encode(ReadOnlySpan<byte> text, List<int> tokens)
    {
        foreach (var value in text)
            tokens.Add(offset + value);
    }

    public override ReadOnlySpan<byte> GetBytes(int token) => token == EndOfTextId ? [] : new byte[] { (byte)(token - offset) };

    public override void Save(string directory) =>
        File.WriteAllText(Path.Combine(directory, "tokenizer.json"), offset.ToString(CultureInfo.InvariantCulture));
}
