using System.Text.Json.Nodes;
using AnTransformer.Training.Tokenization;
using AnTransformer.Training.Tokenization.Files;
using CsCheck;

namespace AnTransformer.Training.Tests.Tokenization;

/// <summary>Tokenizers with the stages that published ones have, against ids of Hugging Face's library.</summary>
public sealed class ReferencePipelineTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public static TheoryData<string> Pipelines =>
        new(ReferenceFiles.Read("pipelines.json").AsArray().Select(pipeline => pipeline!["name"]!.GetValue<string>()));

    [Theory]
    [MemberData(nameof(Pipelines))]
    public void Gives_the_ids_of_the_reference(string name)
    {
        var expected = Find(name);
        var plain = Load(expected, SpecialTokensInText.Plain);
        var recognized = Load(expected, SpecialTokensInText.Recognized);
        for (var i = 0; i < ReferenceFiles.Texts.Count; i++)
        {
            var ids = ReferenceFiles.Ids(expected["ids"]![i]!);
            Assert.True(ids.SequenceEqual(plain.Encode(ReferenceFiles.Texts[i])), $"{name}, plain, text {i}");
            if (expected["recognized"]![$"{i}"] is { } special)
                ids = ReferenceFiles.Ids(special);
            Assert.True(ids.SequenceEqual(recognized.Encode(ReferenceFiles.Texts[i])), $"{name}, recognized, text {i}");
        }
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("phi-2")]
    [InlineData("llama-3")]
    [InlineData("gpt-4o")]
    [InlineData("deepseek-v3")]
    [InlineData("starcoder")]
    public void Loses_no_byte_of_any_text(string name)
    {
        var tokenizer = Load(Find(name), SpecialTokensInText.Plain);
        Texts.Bytes.Sample(
            bytes =>
            {
                var tokens = new List<int>();
                tokenizer.Encode(bytes, tokens);
                Assert.Equal(bytes, tokenizer.DecodeBytes(tokens));
            },
            iter: 1_000);
    }

    public void Dispose() => _directory.Dispose();

    private static JsonObject Find(string name) =>
        ReferenceFiles.Read("pipelines.json").AsArray().Single(pipeline => pipeline!["name"]!.GetValue<string>() == name)!.AsObject();

    private Tokenizer Load(JsonObject pipeline, SpecialTokensInText special)
    {
        var file = pipeline["file"]!.DeepClone();
        foreach (var (key, value) in ReferenceFiles.Read("model.json").AsObject())
            file["model"]![key] = value!.DeepClone();
        var path = _directory.Write("tokenizer.json", file.ToJsonString());
        return TokenizerFiles.Load(path, new TokenizerOptions { SpecialTokens = special });
    }
}
