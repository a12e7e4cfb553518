using System.Text;
using AnTransformer.Training.Data;

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
}
