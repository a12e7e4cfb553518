using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Cli.Studies;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt compare</c>: architectures or variants, each at its own tuned learning rate, with seeds and intervals.
/// </summary>
internal static class CompareCommand
{
    public static Command Create() => StudyCommand.Create(
        "compare",
        "Compare architectures or variants, each at its own tuned learning rate: tokens, FLOP and seconds to the "
            + "reference's loss, with 95 % intervals.",
        ConfigurationKinds.Compare);
}
