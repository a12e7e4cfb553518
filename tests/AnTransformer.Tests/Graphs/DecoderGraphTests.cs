using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Operators;
using AnTransformer.Tests.Checkpoints;
using AnTransformer.Tests.Models;

namespace AnTransformer.Tests.Graphs;

public sealed class DecoderGraphTests
{
    public static TheoryData<string> Fixtures => Fixture.Names;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    /// <summary>What a definition says of its model is what the fixture's independent implementation computed.</summary>
    [Theory]
    [MemberData(nameof(Fixtures))]
    public void A_graph_computes_the_logits_of_its_model(string name)
    {
        using var checkpoint = GraphCheckpoint.Open(Fixture.PathOf(name));
        using var expected = SafetensorsFile.Open(Path.Combine(Fixture.PathOf(name), "expected.safetensors"));
        var (batch, length) = ((int)expected["tokens"].Shape[0], (int)expected["tokens"].Shape[1]);
        var vocabulary = checkpoint.Graph.Config.VocabSize;
        var tokens = new long[batch * length];
        var logits = new double[batch * length * vocabulary];
        expected.CopyTo("tokens", tokens);
        expected.CopyTo("logits", logits);

        var interpreter = new GraphInterpreter(checkpoint.Graph, checkpoint.Weights);
        var actual = tokens.Chunk(length).SelectMany(sequence => interpreter.Logits(sequence)).SelectMany(row => row).ToArray();

        var largest = logits.Max(Math.Abs);
        Assert.Equal(logits.Length, actual.Length);
        Assert.All(actual.Zip(logits), pair => Assert.Equal(pair.Second, pair.First, 1e-7 * largest));
    }

    /// <summary>Every tensor of a model is in its graph: <see cref="GraphCheckpoint"/> refuses what it does not name.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void A_graph_names_every_tensor(string architecture)
    {
        using var directory = new TemporaryDirectory();
        var config = ArchitectureRegistry.CreateConfig(architecture, 11, 8, 2, 2, 6);
        using (var model = LanguageModel.Create(config, ModelContext.Default))
        {
            model.Initialize(seed: 1);
            ModelCheckpoint.Save(model, directory.Path);
        }

        using var checkpoint = GraphCheckpoint.Open(directory.Path);
        Assert.Equal(2, checkpoint.Graph.Blocks.Count);
    }

    [Fact]
    public void A_file_that_does_not_fit_its_configuration_is_refused_with_its_tensor()
    {
        using var directory = new TemporaryDirectory();
        foreach (var file in (string[])["config.json", "model.safetensors"])
            File.Copy(Path.Combine(Fixture.PathOf("gpt"), file), Path.Combine(directory.Path, file));
        var path = Path.Combine(directory.Path, "config.json");
        var config = File.ReadAllText(path);

        File.WriteAllText(path, config.Replace("\"qk_norm\": false", "\"qk_norm\": true", StringComparison.Ordinal));
        var missing = Assert.Throws<InvalidInputException>(() => GraphCheckpoint.Open(directory.Path));
        Assert.Contains("self_attn.q_norm.weight' is missing", missing.Message, StringComparison.Ordinal);

        File.WriteAllText(path, config.Replace("\"vocab_size\": 37", "\"vocab_size\": 36", StringComparison.Ordinal));
        var shape = Assert.Throws<InvalidInputException>(() => GraphCheckpoint.Open(directory.Path));
        Assert.Contains("has shape [37, 32]", shape.Message, StringComparison.Ordinal);

        File.WriteAllText(path, config.Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", StringComparison.Ordinal));
        var superfluous = Assert.Throws<InvalidInputException>(() => GraphCheckpoint.Open(directory.Path));
        Assert.Contains("is not part of the model", superfluous.Message, StringComparison.Ordinal);
    }
}
