using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Operators;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Evaluation.Tests;

/// <summary>A checkpoint with random weights whose tokens are bytes.</summary>
internal static class TestModel
{
    /// <summary>Writes one and returns its directory.</summary>
    public static string Save(string folder, string name, int seed = 3, int context = 96, string architecture = "angpt")
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 257, 64, 4, 2, context);
        using var model = LanguageModel.Create(config, ModelContext.Default);
        model.Initialize(seed);
        var directory = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        ModelCheckpoint.Save(model, directory);
        new ByteTokenizer().Save(directory);
        return directory;
    }
}
