using AnTransformer.Studies.Configuration;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Tests.Configuration;

public sealed class StudyFilesTests
{
    private static string Folder
    {
        get
        {
            var folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "AnTransformer.slnx")))
                folder = Path.GetDirectoryName(folder)!;
            return Path.Combine(folder, "configs", "studies");
        }
    }

    [Fact]
    public void Shipped_files_load_and_comment_every_field()
    {
        Check<CompareConfiguration>("compare");
        Check<SweepConfiguration>("sweep");
        Check<BatchSizeConfiguration>("batch-size");
        Check<AblateConfiguration>("ablate");
        Check<ScalingConfiguration>("scaling");
        Assert.Equal(5, Directory.GetFiles(Folder).Length);
    }

    [Fact]
    public void Every_field_has_a_description_and_every_number_a_range()
    {
        Type[] types = [typeof(CompareConfiguration), typeof(SweepConfiguration), typeof(BatchSizeConfiguration), typeof(AblateConfiguration), typeof(ScalingConfiguration)];
        Assert.All(types.SelectMany(ConfigurationBinder.Fields), field =>
        {
            Assert.EndsWith(".", field.Description, StringComparison.Ordinal);
            Assert.True(field.TypeName is "true|false" or "text" or "list of texts" or "mapping" || field.Range is not null, field.Key);
        });
    }

    /// <summary>After changing a description, run once with ANTRANSFORMER_UPDATE_CONFIGS=1 to rewrite the files; see the training configurations' test.</summary>
    private static void Check<T>(string name)
        where T : StudyConfiguration, new()
    {
        var path = Path.Combine(Folder, name + ".yaml");
        var expected = ConfigurationBinder.Write(ConfigurationBinder.Load<T>(path, []));
        var text = File.ReadAllText(path);
        var headEnd = text.IndexOf("\n\n", StringComparison.Ordinal) + 2;
        if (Environment.GetEnvironmentVariable("ANTRANSFORMER_UPDATE_CONFIGS") == "1")
            File.WriteAllText(path, text[..headEnd] + expected);
        Assert.All(text[..headEnd].TrimEnd().Split('\n'), line => Assert.StartsWith("#", line, StringComparison.Ordinal));
        Assert.Equal(expected, text[headEnd..]);
    }
}
