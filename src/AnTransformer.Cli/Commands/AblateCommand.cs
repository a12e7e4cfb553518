using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Cli.Studies;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt ablate</c>: variants of a configuration against it, each tuned, with seeds and intervals.
/// </summary>
internal static class AblateCommand
{
    public static Command Create() => StudyCommand.Create(
        "ablate",
        "Compare variants with the base they come from, by default every ablation of anGPT: differences of the loss "
            + "with 95 % intervals, and divergences.",
        ConfigurationKinds.Ablate);
}
