using System.CommandLine;
using AnTransformer.Cli.Configurations;
using AnTransformer.Cli.Studies;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt batch-size</c>: how large a batch may be at a fixed number of tokens.</summary>
internal static class BatchSizeCommand
{
    public static Command Create() => StudyCommand.Create(
        "batch-size",
        "The loss at a fixed number of tokens against the batch size, each with its own tuned learning rate, and the "
            + "largest batch within 1 % of the best.",
        ConfigurationKinds.BatchSize);
}
