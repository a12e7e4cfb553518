using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class ByteTokenizerTests
{
    [Fact]
    public void A_token_is_a_byte() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        var tokenizer = new ByteTokenizer();
        List<int> tokens = [256];
        tokenizer.Encode(bytes, tokens);
        Assert.Equal([256, .. bytes.Select(value => (int)value)], tokens);
        Assert.Equal(bytes, tokenizer.DecodeBytes(tokens));
    });

    [Fact]
    public void Has_257_ids()
    {
        var tokenizer = new ByteTokenizer();
        Assert.Equal(257, tokenizer.VocabularySize);
        Assert.Equal(256, tokenizer.EndOfTextId);
        Assert.Equal(0, tokenizer.GetBytes(256).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.GetBytes(257).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.GetBytes(-1).Length);
    }

    [Fact]
    public void Is_loaded_as_what_was_saved()
    {
        using var directory = new TemporaryDirectory();
        new ByteTokenizer().Save(directory.Path);
        var loaded = TokenizerFiles.Load(directory.Path);
        Assert.IsType<ByteTokenizer>(loaded);
        Assert.Equal(new ByteTokenizer().Fingerprint, loaded.Fingerprint);
        var first = directory.Read("tokenizer.json");
        loaded.Save(directory.Path);
        Assert.Equal(first, directory.Read("tokenizer.json"));
    }
}
