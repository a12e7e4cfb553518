using AnTransformer.Studies;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Configurations;

/// <summary>Configurations of one of the studies.</summary>
/// <typeparam name="T">The class of its fields.</typeparam>
/// <param name="name">Its name, which is that of the tool's own file, too.</param>
/// <param name="command">The command that such files are for.</param>
/// <param name="create">Plans the study.</param>
internal sealed class StudyKind<T>(string name, string command, Func<T, BaseConfiguration, StudyData, IStudy> create)
    : ConfigurationKind(name, command, typeof(T))
    where T : StudyConfiguration, new()
{
    public override object Load(string path, IReadOnlyList<(string Key, string Value)> overrides)
        => ConfigurationBinder.Load<T>(path, overrides);

    public override object Defaults(IReadOnlyList<(string Key, string Value)> overrides)
        => ConfigurationBinder.Defaults<T>(overrides);

    /// <summary>Plans the study.</summary>
    /// <exception cref="InvalidInputException">Its settings cannot be used.</exception>
    public IStudy Create(T settings, BaseConfiguration baseConfiguration, StudyData data)
        => create(settings, baseConfiguration, data);

    public override void Check(string path)
    {
        var settings = ConfigurationBinder.Load<T>(path, [], out var placeOf);
        var baseConfiguration = new BaseConfiguration(settings, placeOf, [], BundledFiles.Find);
        var study = create(settings, baseConfiguration, new StudyData(listener: null, CancellationToken.None));
        // Composes the configuration of every run that is known before the first result.
        study.Plan.Agenda(new Dictionary<string, RunResult>(StringComparer.Ordinal));
    }
}
