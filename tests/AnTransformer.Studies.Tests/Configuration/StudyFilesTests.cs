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
    public void Shipped_files_list_what_differs_from_the_defaults()
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

    /// <summary>A heading and what `angpt config show` prints, but the seeds, on which the evidence of any study rests.</summary>
    private static void Check<T>(string name)
        where T : StudyConfiguration, new()
    {
        var path = Path.Combine(Folder, name + ".yaml");
        var settings = ConfigurationBinder.Load<T>(path, []);
        var lines = File.ReadAllLines(path);
        var head = lines.TakeWhile(line => line.StartsWith('#')).ToList();
        Assert.NotEmpty(head);
        Assert.Contains($"`angpt config show --all configs/studies/{name}.yaml`", head[^1], StringComparison.Ordinal);
        var differences = ConfigurationBinder.WriteDifferences(settings).TrimEnd('\n').Split('\n');
        const string defaultSeeds = "seeds: [1, 2, 3]";
        Assert.Equal(differences, lines.Skip(head.Count).Where(line => line.Length > 0 && line != defaultSeeds));

        // Nor do the runs' own fields repeat defaults.
        var start = ConfigurationBinder.Compose<TrainingConfiguration>("base", [settings.Base], [("training.max_tokens", "7", "base")]);
        var ofRuns = ConfigurationBinder.WriteDifferences(start).Split('\n');
        Assert.All(
            differences.SkipWhile(line => line != "base:").Skip(1).TakeWhile(line => line.StartsWith(' ')).Select(line => line[2..]),
            line => Assert.True(ofRuns.Contains(line) || line.StartsWith("  max_tokens:", StringComparison.Ordinal), line));
    }
}
