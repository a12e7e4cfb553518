using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Configurations;

/// <summary>Configurations of <c>angpt train</c>.</summary>
internal sealed class TrainingKind() : ConfigurationKind("train", "angpt train", typeof(TrainingConfiguration))
{
    public override object Load(string path, IReadOnlyList<(string Key, string Value)> overrides)
        => ConfigurationBinder.Load<TrainingConfiguration>(path, overrides);

    public override object Defaults(IReadOnlyList<(string Key, string Value)> overrides)
        => ConfigurationBinder.Defaults<TrainingConfiguration>(overrides);

    public override object Resolve(object configuration)
        => ResolvedConfiguration.AsFarAsKnown((TrainingConfiguration)configuration);

    public override void Check(string path)
    {
        var configuration = ConfigurationBinder.Load<TrainingConfiguration>(path, []);
        try
        {
            TrainingPlan.Create(configuration, configuration.Tokenizer.VocabSize);
        }
        catch (InvalidInputException e)
        {
            // The plan knows fields and no files.
            throw new InvalidInputException($"{path}: {e.Message}", e);
        }
    }
}
