using System.Text;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Studies.Configuration;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Configurations of training and of studies.</summary>
internal sealed class YamlFormat : IFormat
{
    private static readonly string[] Files = ["quickstart.yaml", "compare.yaml", "sweep.yaml", "ablate.yaml", "batch-size.yaml", "scaling.yaml"];
    private static readonly string Everything = ConfigurationBinder.Write(new TrainingConfiguration());

    public string Name => "yaml";

    public Sample Make(Random random)
    {
        var name = random.Pick(Files);
        var text = random.Next(3) == 0 ? Everything : Seeds.Text(name);
        var bytes = Encoding.UTF8.GetBytes(TextMutator.Change(text, random, random.FewChanges()));
        return new Sample(name, random.Next(5) == 0 ? ByteMutator.Change(bytes, random, random.FewChanges()) : bytes);
    }

    public void Read(string path)
    {
        object _ = Path.GetFileNameWithoutExtension(path) switch
        {
            "compare" => ConfigurationBinder.Load<CompareConfiguration>(path, []),
            "sweep" => ConfigurationBinder.Load<SweepConfiguration>(path, []),
            "ablate" => ConfigurationBinder.Load<AblateConfiguration>(path, []),
            "batch-size" => ConfigurationBinder.Load<BatchSizeConfiguration>(path, []),
            "scaling" => ConfigurationBinder.Load<ScalingConfiguration>(path, []),
            _ => Training(path),
        };
    }

    private static string Training(string path)
        => ConfigurationBinder.Write(ConfigurationBinder.Load<TrainingConfiguration>(path, [("training.steps", "7")]));
}
