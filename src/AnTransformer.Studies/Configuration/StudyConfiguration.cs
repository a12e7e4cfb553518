using System.ComponentModel;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Configuration;

/// <summary>What every study is told.</summary>
public abstract class StudyConfiguration
{
    /// <summary>Study directory.</summary>
    [Description(
        "Directory of the study: its runs, tables, plots and report. The same command goes on where it was stopped.")]
    public string Output { get; set; } = "runs/study";

    /// <summary>Training configuration to start from.</summary>
    [Description("A training configuration that all runs start from, relative to here or one of the tool's own, such "
        + "as configs/quickstart.yaml; null for the defaults of `angpt train`.")]
    public string? BaseConfig { get; set; }

    /// <summary>Fields laid over it.</summary>
    [Description("Fields of a training configuration, in its sections, that all runs have; they win over base_config.")]
    [PatchOf(typeof(TrainingConfiguration))]
    public ConfigurationPatch Base { get; set; } = ConfigurationPatch.Empty;

    /// <summary>Seeds.</summary>
    [Description("Seeds of initial weights and data order; more of them make narrower and more honest intervals.")]
    [NotNegative]
    public List<long> Seeds { get; set; } = [1, 2, 3];

    /// <summary>Runs at a time.</summary>
    [Description("Runs at a time, each in a process of its own with its share of the cores. Timings of runs beside "
        + "each other are not isolated.")]
    [InRange(1, 1024)]
    public int Jobs { get; set; } = 1;

    /// <summary>Devices.</summary>
    [Description("Devices that the jobs take in turn, such as [cuda:0, cuda:1]; empty for training.device.")]
    public List<string> Devices { get; set; } = [];

    /// <summary>Whether checkpoints stay.</summary>
    [Description(
        "Whether the checkpoints of finished runs are kept; they are deleted otherwise, and metrics and results stay.")]
    public bool KeepCheckpoints { get; set; }

    /// <summary>Patience with other workers.</summary>
    [Description("Seconds without a sign of life after which the runs of another worker are taken over, where several "
        + "on one or more hosts were started with the same output and work on the study together.")]
    [InRange(1, 86400)]
    public double WorkerTimeout { get; set; } = 60;

    /// <summary>Problems that all studies may have.</summary>
    protected IEnumerable<ConfigurationProblem> CommonProblems()
    {
        if (string.IsNullOrWhiteSpace(Output))
            yield return new ConfigurationProblem("output must name a directory for the study", "output");
        if (Devices.Find(device => !TrainingSection.IsDevice(device)) is { } unknown)
            yield return new ConfigurationProblem(
                $"devices must be cpu, cuda or cuda:N, not '{Printable.Excerpt(unknown)}'", "devices");
        if (Seeds.Count == 0)
            yield return new ConfigurationProblem("seeds must have at least one entry", "seeds");
        if (Seeds.Distinct().Count() < Seeds.Count)
            yield return new ConfigurationProblem(
                "seeds has an entry twice; a run repeated is no further evidence, so remove it", "seeds");
    }
}
