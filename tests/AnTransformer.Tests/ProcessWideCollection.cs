namespace AnTransformer.Tests;

/// <summary>
/// Tests that change what all tests of the process share: the number of threads, whose products are used, why a backward
/// pass failed. They run alone.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessWideCollection
{
    public const string Name = "process-wide";
}
