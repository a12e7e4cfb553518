using System.Text;
using System.Text.Json.Nodes;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;
using AnTransformer.Training.Tokenization.Splitting;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class TokenizerFilesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void All_forms_of_a_tokenizer_are_the_same_tokenizer()
    {
        var json = TokenizerJson.Create();
        var strings = Load(json);
        json["model"]!["merges"] =
            new JsonArray([.. TokenizerJson.MergeTexts().Select(pair => new JsonArray(pair.Left, pair.Right))]);
        var arrays = Load(json);
        WritePair("pair", "vocab.json", "merges.txt");
        WritePair("gpt2", "encoder.json", "vocab.bpe");

        Assert.Equal(strings.Fingerprint, arrays.Fingerprint);
        foreach (var path in (string[])["pair", "pair/vocab.json", "pair/merges.txt", "gpt2", "gpt2/encoder.json"])
        {
            var pair = TokenizerFiles.Load(Path.Combine(_directory.Path, path));
            Assert.Equal(strings.Fingerprint, pair.Fingerprint);
            Assert.Equal(276, pair.EndOfTextId);
            Assert.Equal(strings.Encode("hello the 123 aaab<|endoftext|>"), pair.Encode("hello the 123 aaab<|endoftext|>"));
        }
    }

    [Fact]
    public void A_loaded_file_is_saved_as_it_was()
    {
        var json = TokenizerJson.Create();
        json["post_processor"] = new JsonObject { ["type"] = "TemplateProcessing", ["single"] = new JsonArray("something") };
        var path = _directory.Write("tokenizer.json", json.ToJsonString());
        var saved = _directory.Create("saved");
        TokenizerFiles.Load(path).Save(saved);
        Assert.Equal(File.ReadAllBytes(path), _directory.Read("saved/tokenizer.json"));
        Assert.Equal(["tokenizer.json"], Directory.GetFiles(saved).Select(Path.GetFileName));
    }

    [Fact]
    public void A_tokenizer_of_two_files_is_saved_as_one()
    {
        WritePair("pair", "vocab.json", "merges.txt");
        var pair = TokenizerFiles.Load(Path.Combine(_directory.Path, "pair"));
        pair.Save(_directory.Path);
        var saved = TokenizerFiles.Load(_directory.Path);
        Assert.Equal(pair.Fingerprint, saved.Fingerprint);
        var first = _directory.Read("tokenizer.json");
        saved.Save(_directory.Path);
        Assert.Equal(first, _directory.Read("tokenizer.json"));
    }

    [Fact]
    public void A_file_is_written_in_the_form_of_Hugging_Face_tokenizers()
    {
        var options = new BytePairTrainerOptions { VocabularySize = 258 };
        BytePairTrainerTests.Train(["ab ab"u8.ToArray()], options).Tokenizer.Save(_directory.Path);
        var text = Encoding.UTF8.GetString(_directory.Read("tokenizer.json"));
        Assert.StartsWith(
            """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
                {
                  "id": 257,
                  "content": "<|endoftext|>",
                  "single_word": false,
                  "lstrip": false,
                  "rstrip": false,
                  "normalized": false,
                  "special": true
                }
              ],
              "normalizer": null,
              "pre_tokenizer": {
                "type": "ByteLevel",
                "add_prefix_space": false,
                "trim_offsets": true,
                "use_regex": true
              },
            """,
            text,
            StringComparison.Ordinal);
        Assert.EndsWith(
            """
                  "ł": 254,
                  "Ń": 255,
                  "ab": 256,
                  "<|endoftext|>": 257
                },
                "merges": [
                  "a b"
                ]
              }
            }
            """,
            text,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<|endoftext|>", "</s>", 257)]
    [InlineData("</s>", "<eos>", 257)]
    [InlineData("<eos>", "<|end_of_text|>", 258)]
    [InlineData("<pad>", "<unk>", null)]
    public void Finds_end_of_text(string first, string second, int? expected)
    {
        var json = TokenizerJson.Create();
        json["model"]!["merges"] = new JsonArray();
        json["model"]!["vocab"] = new JsonObject(
            TokenizerJson.Names().Take(256).Select((name, id) => KeyValuePair.Create(name, (JsonNode?)id)));
        json["added_tokens"] = new JsonArray(
            TokenizerJson.Added(256, "<x>", special: true),
            TokenizerJson.Added(257, first, special: true),
            TokenizerJson.Added(258, second, special: true));
        var tokenizer = Load(json);
        Assert.Equal(expected, tokenizer.EndOfTextId);
        Assert.Equal(259, tokenizer.VocabularySize);
        Assert.Equal(0, tokenizer.GetBytes(258).Length);
    }

    [Fact]
    public void Added_tokens_that_are_not_special_are_found_in_text()
    {
        var json = TokenizerJson.Create();
        for (var spaces = 2; spaces <= 4; spaces++)
            json["added_tokens"]!.AsArray().Add(TokenizerJson.Added(275 + spaces, new string(' ', spaces), special: false));
        json["added_tokens"]!.AsArray().Add(TokenizerJson.Added(280, "é!", special: false, normalized: true));
        json["normalizer"] = new JsonObject { ["type"] = "NFC" };
        var tokenizer = Load(json);
        Assert.Equal([Id("x"), 279, 277, Id("x"), Id("Ġ"), Id("x")], tokenizer.Encode("x      x x"));
        Assert.Equal([Id("x"), 280, Id("x")], tokenizer.Encode("xe\u0301!x"));
        Assert.Equal("  ", tokenizer.Decode([277]));
    }

    [Fact]
    public void End_of_text_that_the_file_calls_ordinary_is_special_all_the_same()
    {
        var json = TokenizerJson.Create();
        json["added_tokens"] = new JsonArray(TokenizerJson.Added(276, "<|endoftext|>", special: false));
        var tokenizer = Load(json);
        Assert.Equal(276, tokenizer.EndOfTextId);
        Assert.DoesNotContain(276, tokenizer.Encode("a<|endoftext|>b"));
    }

    [Theory]
    [InlineData(
        "e\u0301 A\u030A \u212B \u1100\u1161\u11A8 \uF900 q\u0323\u0307 q\u0307\u0323",
        "é Å Å 각 豈 q\u0323\u0307 q\u0323\u0307")]
    [InlineData("\u0344 plain \u2019 text \u0958", "\u0308\u0301 plain \u2019 text \u0915\u093C")]
    [InlineData("\U0001D15E \U00011099\U000110BA", "\U0001D157\U0001D165 \U0001109A")]
    [InlineData("\U00011935\U00011930 x\u1DF6\u0334", "\U00011935\U00011930 x\u1DF6\u0334")]     // younger than the reference's data
    public void Normalizes_to_form_C(string text, string expected)
    {
        var json = TokenizerJson.Create();
        json["normalizer"] = new JsonObject { ["type"] = "NFC" };
        var tokenizer = Load(json);
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(expected)));
    }

    [Fact]
    public void Normalization_keeps_invalid_bytes_and_is_idempotent()
    {
        var json = TokenizerJson.Create();
        var nfc = new JsonObject { ["type"] = "NFC" };
        json["normalizer"] = new JsonObject { ["type"] = "Sequence", ["normalizers"] = new JsonArray(nfc) };
        var tokenizer = Load(json);
        var tokens = new List<int>();
        tokenizer.Encode([(byte)'e', 0xCC, 0x81, 0xFF, 0xCC, (byte)'e', 0xCC], tokens);
        Assert.Equal([0xC3, 0xA9, 0xFF, 0xCC, (byte)'e', 0xCC], tokenizer.DecodeBytes(tokens));
        Texts.Unicode.Sample(text =>
        {
            var once = tokenizer.Decode(tokenizer.Encode(text));
            Assert.Equal(once, tokenizer.Decode(tokenizer.Encode(once)));
        });
    }

    [Fact]
    public void Prefix_space_is_added_where_declared()
    {
        var json = TokenizerJson.Create();
        json["pre_tokenizer"] = TokenizerJson.ByteLevel(addPrefixSpace: true);
        var tokenizer = Load(json);
        Assert.Equal([Id("Ġthe"), Id("Ġthe")], tokenizer.Encode("the the"));
        Assert.Equal(tokenizer.Encode("the"), tokenizer.Encode(" the"));
        Assert.Empty(tokenizer.Encode(""));
    }

    [Fact]
    public void Split_patterns_decide_about_words()
    {
        // GPT-2 would not merge "'" with a letter after it, nor leave digits apart.
        var llama = TokenizerJson.Split(
            @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
            + @"|\s+(?!\S)|\s+");
        var tokenizer = Load(With(TokenizerJson.Sequence(llama, TokenizerJson.ByteLevel(useRegex: false))));
        Assert.Equal([Id("12"), Id("3")], tokenizer.Encode("123"));
        Assert.Equal([Id("'"), Id("S")], tokenizer.Encode("'S"));

        var removed = TokenizerJson.Split(@"\p{N}|\P{N}+", "Removed", invert: true);
        tokenizer = Load(With(TokenizerJson.Sequence(removed, TokenizerJson.ByteLevel(useRegex: false))));
        Assert.Equal([Id("1"), Id("2"), Id("3")], tokenizer.Encode("123"));

        var digits = new JsonObject { ["type"] = "Digits", ["individual_digits"] = true };
        tokenizer = Load(With(TokenizerJson.Sequence(digits, TokenizerJson.ByteLevel())));
        Assert.Equal([Id("1"), Id("2"), Id("he")], tokenizer.Encode("12he"));

        var text = TokenizerJson.Split("");
        text["pattern"] = new JsonObject { ["String"] = "e." };
        tokenizer = Load(With(TokenizerJson.Sequence(text, TokenizerJson.ByteLevel(useRegex: false))));
        Assert.Equal([Id("h"), Id("e"), Id(".")], tokenizer.Encode("he."));
        Assert.Equal([Id("he"), Id("x")], tokenizer.Encode("hex"));
    }

    [Fact]
    public void Split_patterns_keep_every_byte()
    {
        // With possessive quantifiers, as in files made from tiktoken's.
        var split = TokenizerJson.Split(
            @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|(?:\p{N}){1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s+(?!\S)|\s+");
        var tokenizer = Load(With(TokenizerJson.Sequence(split, TokenizerJson.ByteLevel(useRegex: false))));
        Texts.Bytes.Sample(bytes =>
        {
            var tokens = new List<int>();
            tokenizer.Encode(bytes, tokens);
            Assert.Equal(bytes, tokenizer.DecodeBytes(tokens));
        });
    }

    [Fact]
    public void The_scanner_and_its_regular_expression_give_the_same_ids()
    {
        var scanner = Load(TokenizerJson.Create());
        var split = TokenizerJson.Split(Gpt2PreTokenizer.Pattern);
        var regex = Load(With(TokenizerJson.Sequence(split, TokenizerJson.ByteLevel(useRegex: false))));
        Texts.Bytes.Sample(
            bytes =>
            {
                var (a, b) = (new List<int>(), new List<int>());
                scanner.Encode(bytes, a);
                regex.Encode(bytes, b);
                Assert.Equal(a, b);
            },
            iter: 5_000);
    }

    [Fact]
    public void Whole_words_win_where_merges_are_ignored()
    {
        var json = TokenizerJson.Create();
        json["model"]!["vocab"]!["xyz"] = 277;
        Assert.Equal(3, Load(json).Encode("xyz").Count);
        json["model"]!["ignore_merges"] = true;
        Assert.Equal([277], Load(json).Encode("xyz"));
    }

    [Fact]
    public void Fingerprints_tell_tokenizers_apart()
    {
        var plain = TokenizerJson.Create();
        var nfc = TokenizerJson.Create();
        nfc["normalizer"] = new JsonObject { ["type"] = "NFC" };
        var fewer = TokenizerJson.Create();
        fewer["model"]!["merges"]!.AsArray().RemoveAt(19);
        var digits = With(TokenizerJson.Sequence(TokenizerJson.Split(@"\p{N}"), TokenizerJson.ByteLevel()));
        string[] all =
        [
            Load(plain).Fingerprint,
            Load(nfc).Fingerprint,
            Load(fewer).Fingerprint,
            Load(digits).Fingerprint,
            new ByteTokenizer().Fingerprint,
        ];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all, fingerprint => Assert.Matches("^[0-9a-f]{32}$", fingerprint));
        Assert.Equal(all[0], Load(plain).Fingerprint);
    }

    [Theory]
    [InlineData("{", "not valid JSON at line 1")]
    [InlineData("[]", "$ is not an object")]
    [InlineData("{}", "$.model is missing")]
    [InlineData("""{"model": {"type": "WordPiece"}}""", "$.model.type is WordPiece, which is not supported")]
    [InlineData("""{"model": {"type": "Unigram"}}""", "$.model.type is Unigram")]
    [InlineData("""{"model": {"type": "BPE", "byte_fallback": true}}""", "$.model.byte_fallback is set")]
    [InlineData("""{"model": {"type": "BPE", "dropout": 0.1}}""", "$.model.dropout asks for random merges")]
    [InlineData("""{"model": {"type": "BPE", "end_of_word_suffix": "</w>"}}""", "$.model.end_of_word_suffix is set")]
    [InlineData("""{"model": {"type": "BPE", "merges": []}}""", "$.model.vocab is missing")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": "x"}, "merges": []}}""", "$.model.vocab[\"a\"] is not a number")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1.5}, "merges": []}}""", "$.model.vocab[\"a\"] is not an integer")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""", "the token \"a\" has the id -1")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1, "a": 2}, "merges": []}}""", "the token \"a\" twice")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1, "b": 1}, "merges": []}}""", "both have the id 1")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1}, "merges": []}}""", "no token for the byte 0x00")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1}, "merges": ["a"]}}""", "$.model.merges[0] is not a pair")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1}, "merges": [["a", "a", "a"]]}}""", "merges[0] is not a pair")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 1}, "merges": ["a a"]}}""", "merges[0] merges \"a\" and")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\ud83d": 1}, "merges": []}}""", "$.model.vocab holds a string")]
    [InlineData("""{"model": {"type": "BPE", "\ud83d": 1, "vocab": {}, "merges": []}}""", "$.model holds a string")]
    [InlineData("""{"\ud83d": 1}""", "$ holds a string")]
    [InlineData("""{"model": {"type": "\ud83d"}}""", "$.model.type holds a string")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {}, "merges": [["\ud83d", "a"]]}}""", "$.model.merges[0][0] holds a string")]
    public void Malformed_and_unsupported_files_are_refused(string json, string message)
    {
        var path = _directory.Write("tokenizer.json", json);
        var error = Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(path));
        Assert.StartsWith(path + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{"type": "Lowercase"}""", "$.normalizer.type is Lowercase")]
    [InlineData("pre_tokenizer", "null", "$.pre_tokenizer is null")]
    [InlineData("pre_tokenizer", """{"type": "Metaspace"}""", "$.pre_tokenizer.type is Metaspace")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{}]}""", "pretokenizers[0].type is missing")]
    [InlineData(
        "pre_tokenizer",
        """{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]}""",
        "$.pre_tokenizer.pretokenizers[0] is a ByteLevel that is not the last step")]
    [InlineData("pre_tokenizer", """{"type": "Sequence", "pretokenizers": [{"type": "Digits"}]}""", "no ByteLevel step")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Merged"}""", "behavior is Merged, which")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "isolated", "pattern": {"String": "a"}}""", "behavior is isolated")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated"}""", "$.pre_tokenizer.pattern is missing")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated", "pattern": {"String": ""}}""", "String is empty")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated", "pattern": {"String": "a"}, "limit": 1}""", "[\"limit\"] is not known")]
    [InlineData("pre_tokenizer", """{"type": "ByteLevel", "type": "ByteLevel"}""", "has \"type\" twice")]
    [InlineData("normalizer", """{"type": "Sequence", "normalizers": [{"type": "NFKC"}]}""", "normalizers[0].type is NFKC")]
    [InlineData("decoder", """{"type": "Metaspace"}""", "$.decoder.type is Metaspace")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(a"}}""", "supported (")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "\\p{Q}"}}""", "supported")]
    [InlineData("pre_tokenizer", """{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "[a&&]"}}""", "supported (")]
    [InlineData("added_tokens", """[{"id": 5, "content": "new"}]""", "has the id 5, that of")]
    [InlineData("added_tokens", """[{"id": 9999, "content": "!"}]""", "the vocabulary says 0")]
    [InlineData("added_tokens", """[{"id": 300, "content": "new"}]""", "has the id 300, but Hugging Face tokenizers would give it 277")]
    [InlineData("added_tokens", """[{"id": 278, "content": "b2"}, {"id": 277, "content": "b1"}]""", "would give it 277")]
    [InlineData("added_tokens", """[{"id": 277, "content": "new"}, {"id": 277, "content": "new"}]""", "\"new\" is there twice")]
    [InlineData("added_tokens", """[{"id": 277, "content": ""}]""", "$.added_tokens[0].content is empty")]
    [InlineData("added_tokens", """[{"id": 277, "content": "new", "split": true}]""", "$.added_tokens[0][\"split\"] is not known")]
    [InlineData("added_tokens", """[{"id": 277, "content": "new", "special": 1}]""", "special is neither true nor false")]
    public void Unsupported_parts_are_refused(string part, string value, string message)
    {
        var json = TokenizerJson.Create();
        json[part] = JsonNode.Parse(value);
        var error = Assert.Throws<InvalidInputException>(() => Load(json));
        Assert.Contains("tokenizer.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#version: 0.2\na b c\n", "line 2 is not two tokens")]
    [InlineData("ab\n", "line 1 is not two tokens")]
    [InlineData("#version: 0.2\n\na q\n", "line 3 merges \"a\" and \"q\"")]
    public void Malformed_merges_are_refused(string merges, string message)
    {
        WritePair("pair", "vocab.json", "merges.txt");
        var path = _directory.Write("pair/merges.txt", merges);
        var error = Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(path));
        Assert.Contains($"merges.txt: {message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        Assert.Contains("no tokenizer at", Refuse(Path.Combine(_directory.Path, "nothing")), StringComparison.Ordinal);
        Assert.Contains("has no tokenizer", Refuse(_directory.Path), StringComparison.Ordinal);
        _directory.Write("vocab.json", "{}");
        Assert.Contains("merges.txt", Refuse(_directory.Path), StringComparison.Ordinal);

        static string Refuse(string path) => Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(path)).Message;
    }

    [Fact]
    public void A_directory_that_is_not_there_cannot_be_written_to()
    {
        var missing = Path.Combine(_directory.Path, "missing");
        var error = Assert.Throws<InvalidInputException>(() => new ByteTokenizer().Save(missing));
        Assert.Contains(missing, error.Message, StringComparison.Ordinal);
    }

    private static int Id(string name) => TokenizerJson.Names().ToList().IndexOf(name);

    private static JsonObject With(JsonObject preTokenizer)
    {
        var json = TokenizerJson.Create();
        json["pre_tokenizer"] = preTokenizer;
        return json;
    }

    private Tokenizer Load(JsonObject json) => TokenizerFiles.Load(_directory.Write("tokenizer.json", json.ToJsonString()));

    private void WritePair(string name, string vocabulary, string merges)
    {
        _directory.Create(name);
        _directory.Write($"{name}/{vocabulary}", TokenizerJson.Create()["model"]!["vocab"]!.ToJsonString());
        var lines = TokenizerJson.MergeTexts().Select(pair => $"{pair.Left} {pair.Right}\n");
        _directory.Write($"{name}/{merges}", "#version: 0.2\n" + string.Concat(lines));
    }
}
