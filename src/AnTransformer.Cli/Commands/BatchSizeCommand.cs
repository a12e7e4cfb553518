using System.CommandLine;
using AnTransformer.Cli.Studies;
using AnTransformer.Studies.BatchSizes;
using AnTransformer.Studies.Configuration;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt batch-size</c>: how large a batch may be at a fixed number of tokens.</summary>
internal static class BatchSizeCommand
{
    public static Command Create() => StudyCommand.Create<BatchSizeConfiguration>(
        "batch-size",
        "The loss at a fixed number of tokens against the batch size, each with its own tuned learning rate, and the largest batch within 1 % of the best.",
        "batch-size",
        (settings, baseConfiguration, data) => new BatchSizeStudy(settings, baseConfiguration, data));
}
