using System.Runtime.CompilerServices;
using System.Text;
using AnTransformer.Training.Data;
using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

/// <summary>A directory that is deleted with all that is in it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("antransformer-data-");

    public string Root => _directory.FullName;

    public string At(string name) => Path.Combine(Root, name);

    public string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    public string Write(string name, byte[] bytes)
    {
        var path = At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public string WriteShard(string name, ReadOnlySpan<int> tokens, int vocabularySize = 1000)
    {
        var path = At(name);
        using var writer = new TokenShardWriter(path, vocabularySize);
        writer.Write(tokens);
        writer.Complete();
        return path;
    }

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>
    /// As an application does, load the library before the first compressed stream: tests of other classes may open one
    /// earlier.
    /// </summary>
    [ModuleInitializer]
    internal static void LoadLibrary() => RuntimeHelpers.RunModuleConstructor(typeof(DocumentSource).Module.ModuleHandle);
}
