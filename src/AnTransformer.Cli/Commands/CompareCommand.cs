using System.CommandLine;
using AnTransformer.Cli.Studies;
using AnTransformer.Studies.Comparison;
using AnTransformer.Studies.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt compare</c>: architectures or variants, each at its own tuned learning rate, with seeds and intervals.</summary>
internal static class CompareCommand
{
    public static Command Create() => StudyCommand.Create<CompareConfiguration>(
        "compare",
        "Compare architectures or variants, each at its own tuned learning rate: tokens, FLOP and seconds to the reference's loss, with 95 % intervals.",
        "compare",
        (settings, baseConfiguration, data) => new CompareStudy(settings, baseConfiguration, data));
}
