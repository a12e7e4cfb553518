namespace AnTransformer.Cli;

/// <summary>What a command does when it is asked to stop, as it says so itself.</summary>
internal static class StopWords
{
    public const string Train = "stopping after this step";

    public const string Study = "stopping after the current steps; runs under way are saved";

    public const string Prepare = "stopping; the unfinished data set is removed";

    public const string TrainTokenizer = "stopping; no tokenizer is written";

    public const string Evaluate = "stopping after this batch";

    public const string Generate = "stopping after this token";

    public const string Serve = "no more requests are taken; those that run are finished";

    public const string Bench = "stopping after this round; nothing is reported";

    public const string Export = "stopping; nothing is written";

    public const string Import = "stopping; nothing is written";

    public const string Fit = "stopping; nothing is written";
}
