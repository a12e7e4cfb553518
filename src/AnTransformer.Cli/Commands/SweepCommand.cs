using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Cli.Studies;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt sweep</c>: any fields, on a grid or at random, with seeds.</summary>
internal static class SweepCommand
{
    public static Command Create() => StudyCommand.Create(
        "sweep",
        "Vary any fields of the training configuration, on a grid or at random: the best settings, and how sensitive "
            + "the loss is to the learning rate.",
        ConfigurationKinds.Sweep);
}
