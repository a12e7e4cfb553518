using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Export;
using AnTransformer.Generation;
using AnTransformer.Operators;
using AnTransformer.Training.Tokenization;
using Microsoft.ML.OnnxRuntimeGenAI;
using TorchSharp;
using GenAiTokenizer = Microsoft.ML.OnnxRuntimeGenAI.Tokenizer;

namespace AnTransformer.Onnx.Tests;

/// <summary>ONNX Runtime GenAI draws the tokens that this program draws, from the exported directory as it is.</summary>
public sealed class OnnxRuntimeGenAiTests : IDisposable
{
    private static readonly SamplingOptions Greedy = new(Temperature: 0, TopK: 0, TopP: 1, Seed: 0);
    private readonly string _folder = Directory.CreateTempSubdirectory("genai-test-").FullName;

    public static TheoryData<string> Causal => OnnxRuntimeTests.Causal;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Causal))]
    public void Greedy_tokens_of_every_architecture_agree(string name)
    {
        using var fixture = new Fixture(name);
        var prompt = fixture.Tokens[0].Take(3).Select(id => (int)id).ToArray();
        Export(fixture.Directory);
        using var model = new Model(Out);
        Assert.Equal(Ours(fixture.Directory, prompt, fixture.Config.MaxPositionEmbeddings), Theirs(model, prompt, fixture.Config.MaxPositionEmbeddings));
    }

    [Fact]
    public void Text_goes_in_and_out_as_here()
    {
        const string Text = "Hello, wörld: what comes next?";
        const int Length = 64;
        var checkpoint = Directory.CreateDirectory(Path.Combine(_folder, "checkpoint")).FullName;
        var tokenizer = new ByteTokenizer();
        var config = ArchitectureRegistry.CreateConfig("angpt", tokenizer.VocabularySize, 32, 2, 2, Length);
        using (var made = LanguageModel.Create(config, new ModelContext(torch.CPU, torch.float32, torch.float32)))
        {
            made.Initialize(1);
            ModelCheckpoint.Save(made, checkpoint);
        }

        tokenizer.Save(checkpoint);
        Export(checkpoint);
        using var model = new Model(Out);
        using var theirs = new GenAiTokenizer(model);
        using var encoded = theirs.Encode(Text);
        var ids = tokenizer.Encode(Text).ToArray();
        Assert.Equal(ids, encoded[0].ToArray());
        var drawn = Theirs(model, ids, Length);
        var expected = Ours(checkpoint, ids, Length, tokenizer.EndOfTextId);
        Assert.True(expected.Length > ids.Length);
        // Of the token that ends a text one side tells, the other only of its end.
        Assert.Equal(expected, drawn[^1] == tokenizer.EndOfTextId ? drawn[..^1] : drawn);
        Assert.Equal(Text, theirs.Decode(ids));
    }

    private string Out => Path.Combine(_folder, "out");

    private void Export(string checkpoint) => ModelExport.Write(
        checkpoint, Out, ExporterRegistry.Get("onnx"), stop: TestContext.Current.CancellationToken);

    /// <summary>The prompt and what follows it, up to an end-of-text token or the length.</summary>
    private static int[] Theirs(Model model, int[] prompt, int length)
    {
        using var options = new GeneratorParams(model);
        options.SetSearchOption("max_length", length);
        using var generator = new Generator(model, options);
        generator.AppendTokens(prompt);
        while (!generator.IsDone())
            generator.GenerateNextToken();
        return generator.GetSequence(0).ToArray();
    }

    private static int[] Ours(string checkpoint, int[] prompt, int length, int? end = null)
    {
        using var model = ModelCheckpoint.Load(checkpoint, new ModelContext(torch.CPU, torch.float32, torch.float32));
        return [.. prompt, .. new TextGenerator(model).Generate(prompt, length - prompt.Length, Greedy, end)];
    }
}
