using System.CommandLine;
using AnTransformer.Cli.Studies;
using AnTransformer.Studies.Configuration;
using AnTransformer.Studies.Sweeps;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt sweep</c>: any fields, on a grid or at random, with seeds.</summary>
internal static class SweepCommand
{
    public static Command Create() => StudyCommand.Create<SweepConfiguration>(
        "sweep",
        "Vary any fields of the training configuration, on a grid or at random: the best settings, and how sensitive the loss is to the learning rate.",
        "sweep",
        (settings, baseConfiguration, data) => new SweepStudy(settings, baseConfiguration, data));
}
