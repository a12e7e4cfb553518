namespace AnTransformer.Export.Tests;

/// <summary>A folder that is gone after the test.</summary>
public sealed class Workspace : IDisposable
{
    private int _number;

    public string Folder { get; } = Directory.CreateTempSubdirectory("angpt-export-").FullName;

    /// <summary>A path in the folder that nothing has yet.</summary>
    public string New(string name = "model") => Path.Combine(Folder, $"{++_number}", name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
