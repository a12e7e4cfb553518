using System.CommandLine;
using AnTransformer.Cli.Studies;
using AnTransformer.Studies.Ablation;
using AnTransformer.Studies.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt ablate</c>: variants of a configuration against it, each tuned, with seeds and intervals.</summary>
internal static class AblateCommand
{
    public static Command Create() => StudyCommand.Create<AblateConfiguration>(
        "ablate",
        "Compare variants with the base they come from, by default every ablation of anGPT: differences of the loss with 95 % intervals, and divergences.",
        "ablate",
        (settings, baseConfiguration, data) => new AblateStudy(settings, baseConfiguration, data));
}
