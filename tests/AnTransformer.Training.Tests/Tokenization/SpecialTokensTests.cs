using System.Text.Json.Nodes;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.BytePairs;
using AnTransformer.Training.Tokenization.Files;

namespace AnTransformer.Training.Tests.Tokenization;

public sealed class SpecialTokensTests : IDisposable
{
    private const string Sentence = "<｜end▁of▁sentence｜>";
    private static readonly TokenizerOptions Recognized = new() { SpecialTokens = SpecialTokensInText.Recognized };

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("tokenizer_config.json", """{"eos_token": "<｜end▁of▁sentence｜>", "model_max_length": 1e30}""")]
    [InlineData("tokenizer_config.json", """{"eos_token": {"__type": "AddedToken", "content": "<｜end▁of▁sentence｜>", "lstrip": false}}""")]
    [InlineData("special_tokens_map.json", """{"eos_token": {"content": "<｜end▁of▁sentence｜>"}}""")]
    [InlineData("generation_config.json", """{"eos_token_id": 278}""")]
    [InlineData("generation_config.json", """{"eos_token_id": [278, 277]}""")]
    public void Files_beside_the_tokenizer_say_what_ends_a_text(string file, string content)
    {
        var path = Write("<x>", Sentence);
        Assert.Null(TokenizerFiles.Load(path).EndOfTextId);

        _directory.Write(file, content);
        var tokenizer = TokenizerFiles.Load(path);
        Assert.Equal(278, tokenizer.EndOfTextId);
        Assert.Equal(Sentence, tokenizer.EndOfText);
        Assert.Equal(0, tokenizer.GetBytes(278).Length);
        Assert.Equal(tokenizer.Fingerprint, TokenizerFiles.Load(_directory.Path).Fingerprint);

        // What the tokenizer's own file does not say travels with it.
        var saved = _directory.Create("saved");
        tokenizer.Save(saved);
        Assert.Equal(tokenizer.Fingerprint, TokenizerFiles.Load(saved).Fingerprint);
        Assert.Equal(Sentence, JsonNode.Parse(_directory.Read("saved/tokenizer_config.json"))!["eos_token"]!.GetValue<string>());
        Assert.Equal(_directory.Read("tokenizer.json"), _directory.Read("saved/tokenizer.json"));
    }

    [Fact]
    public void A_name_of_the_users_comes_first_and_files_before_usual_names()
    {
        var path = Write("<|endoftext|>", "<|im_end|>", "<|other|>");
        Assert.Equal("<|endoftext|>", TokenizerFiles.Load(path).EndOfText);
        _directory.Write("generation_config.json", """{"eos_token_id": 278}""");
        Assert.Equal("<|endoftext|>", TokenizerFiles.Load(path).EndOfText);
        _directory.Write("tokenizer_config.json", """{"eos_token": "<|im_end|>"}""");
        Assert.Equal("<|im_end|>", TokenizerFiles.Load(path).EndOfText);
        var other = TokenizerFiles.Load(path, new TokenizerOptions { EndOfText = "<|other|>" });
        Assert.Equal(279, other.EndOfTextId);
        other.Save(_directory.Create("saved"));
        Assert.Equal(279, TokenizerFiles.Load(Path.Combine(_directory.Path, "saved")).EndOfTextId);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"eos_token": "<nowhere>"}""", "is \"<nowhere>\", which is not in the vocabulary")]
    [InlineData("tokenizer_config.json", """{"eos_token": "he"}""", "a token that ordinary text has")]
    [InlineData("tokenizer_config.json", """{"eos_token": "h"}""", "a token that ordinary text has")]
    [InlineData("tokenizer_config.json", """{"eos_token": 5}""", "$.eos_token is neither a string")]
    [InlineData("tokenizer_config.json", """{"eos_token": "\ud800"}""", "not valid Unicode")]
    [InlineData("tokenizer_config.json", """{"\ud800": 1}""", "not valid Unicode")]
    [InlineData("special_tokens_map.json", "[]", "$ is not an object")]
    [InlineData("generation_config.json", """{"eos_token_id": "x"}""", "$.eos_token_id is not a number")]
    public void Unusable_files_are_refused_with_their_name(string file, string content, string message)
    {
        var path = Write("<x>");
        _directory.Write(file, content);
        var error = Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(path));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_is_no_special_token_is_refused()
    {
        var path = Write("<x>");
        var error = Assert.Throws<InvalidInputException>(() => TokenizerFiles.Load(path, new TokenizerOptions { EndOfText = "<y>" }));
        Assert.Contains("\"<y>\", which is not in the vocabulary", error.Message, StringComparison.Ordinal);
        Assert.Contains("such as \"<x>\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Special_tokens_in_a_text_are_plain_by_default_and_recognized_on_request()
    {
        var path = Write("<|endoftext|>", "<x>");
        var plain = TokenizerFiles.Load(path);
        var recognized = TokenizerFiles.Load(path, Recognized);
        Assert.Equal("a<x>b<|endoftext|>", plain.Decode(plain.Encode("a<x>b<|endoftext|>")));
        Assert.Equal([.. plain.Encode("a"), 278, .. plain.Encode("b"), 277], recognized.Encode("a<x>b<|endoftext|>"));
        Assert.NotEqual(plain.Fingerprint, recognized.Fingerprint);
    }

    [Fact]
    public void Tokenizers_without_a_file_recognize_end_of_text_as_well()
    {
        var bytes = TokenizerFiles.Apply(new ByteTokenizer(), SpecialTokensInText.Recognized);
        Assert.Equal([97, 256, 98], bytes.Encode("a<|endoftext|>b"));
        var trained = BytePairTrainerTests.Train(["ab ab"u8.ToArray()], new BytePairTrainerOptions { VocabularySize = 258 }).Tokenizer;
        Assert.Contains(257, TokenizerFiles.Apply(trained, SpecialTokensInText.Recognized).Encode("a<|endoftext|>b"));
        Assert.Same(trained, TokenizerFiles.Apply(trained, SpecialTokensInText.Plain));
    }

    private string Write(params string[] special)
    {
        var json = TokenizerJson.Create();
        json["added_tokens"] = new JsonArray([.. special.Select((name, i) => TokenizerJson.Added(277 + i, name, special: true))]);
        json["model"]!["vocab"] = new JsonObject(
            json["model"]!["vocab"]!.AsObject().Select(pair => KeyValuePair.Create(pair.Key == "<|endoftext|>" ? "unused" : pair.Key, pair.Value?.DeepClone())));
        return _directory.Write("tokenizer.json", json.ToJsonString());
    }
}
