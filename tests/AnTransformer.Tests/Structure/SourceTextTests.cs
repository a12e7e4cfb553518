namespace AnTransformer.Tests.Structure;

/// <summary>What holds of the text of the sources itself.</summary>
public sealed class SourceTextTests
{
    private const int Columns = 120;

    [Fact]
    public void No_line_of_the_sources_is_longer_than_120_columns()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run inside a clone.");
        var files = Directory.EnumerateFiles(Path.Combine(folder, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"))
            .ToList();
        Assert.True(files.Count > 400);
        Assert.Empty(
            from file in files
            from line in File.ReadLines(Path.Combine(folder, file)).Index()
            where line.Item.Length > Columns
            select $"{file}:{line.Index + 1}: {line.Item.Length} columns");
    }
}
