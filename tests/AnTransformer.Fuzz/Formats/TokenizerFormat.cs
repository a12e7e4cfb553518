using System.Text.Json.Nodes;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Fuzz.Formats;

/// <summary>A byte-level BPE in <c>tokenizer.json</c>.</summary>
internal sealed class TokenizerFormat : IFormat
{
    private const string Regex = @"(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static readonly string Text = "The cat's 1234 naïve\r\n\t<|endoftext|> \U0001F600 e\u0301 日本語 " + new string('a', 100);
    private static readonly string Valid = Create();

    public string Name => "tokenizer";

    public Sample Make(Random random)
    {
        var root = Seeds.Json(Valid);
        if (random.Next(2) == 0)
        {
            root["pre_tokenizer"] = Seeds.Json(
                $$"""
                {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"{{Regex}}"},"behavior":"Isolated","invert":false},
                {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
                """);
        }

        if (random.Next(4) == 0)
            root["normalizer"] = Seeds.Json("""{"type":"NFC"}""");
        var file = JsonMutator.Change(root, random, random.FewChanges());
        return new Sample("tokenizer.json", random.Next(4) == 0 ? ByteMutator.Change(file, random, random.FewChanges()) : file);
    }

    public void Read(string path)
    {
        var tokenizer = TokenizerFiles.Load(path);
        _ = tokenizer.EndOfTextId;
        _ = tokenizer.Fingerprint;
        _ = tokenizer.Decode(tokenizer.Encode(Text));
        for (var id = 0; id < Math.Min(tokenizer.VocabularySize, 2000); id++)
            _ = tokenizer.GetBytes(id).Length;
    }

    private static string Create()
    {
        // GPT-2's names of bytes: printable Latin letters are themselves, the others follow from U+0100.
        var vocabulary = new JsonObject();
        var other = 256;
        for (var value = 0; value < 256; value++)
        {
            var isItself = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            vocabulary[((char)(isItself ? value : other++)).ToString()] = value;
        }

        (string Left, string Right)[] merges = [("t", "h"), ("th", "e"), ("a", "a"), ("aa", "aa"), ("c", "a"), ("ca", "t"), ("Ġ", "c"), ("1", "2")];
        foreach (var (left, right) in merges)
            vocabulary[left + right] = vocabulary.Count;
        vocabulary["<|endoftext|>"] = vocabulary.Count;
        var list = new JsonArray([.. merges.Select(pair => (JsonNode)$"{pair.Left} {pair.Right}")]);
        return $$$"""
            {"version":"1.0","truncation":null,"padding":null,
            "added_tokens":[{"id":{{{vocabulary.Count - 1}}},"content":"<|endoftext|>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
            "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},"post_processor":null,
            "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
            "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","fuse_unk":false,
            "byte_fallback":false,"vocab":{{{vocabulary.ToJsonString()}}},"merges":{{{list.ToJsonString()}}}}}
            """;
    }
}
