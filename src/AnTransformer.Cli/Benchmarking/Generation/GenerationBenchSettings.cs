using AnTransformer.Inference;

namespace AnTransformer.Cli.Benchmarking.Generation;

/// <summary>What <c>angpt bench generate</c> times.</summary>
/// <param name="Dtypes">What weights are packed to, each a contestant.</param>
/// <param name="Batches">Numbers of sequences that are decoded together.</param>
/// <param name="PrefillTokens">Length of the text that is read at once.</param>
/// <param name="PromptTokens">Length of the text before what is decoded.</param>
/// <param name="Tokens">Tokens that are decoded of each sequence.</param>
/// <param name="Rounds">Timed rounds.</param>
/// <param name="Threads">Threads; 0 for all.</param>
/// <param name="IsMapped">Whether weights are read in the file's mapping where it has the dtype.</param>
/// <param name="Seed">Seed of weights and tokens.</param>
internal sealed record GenerationBenchSettings(
    IReadOnlyList<WeightDtype> Dtypes, IReadOnlyList<int> Batches, int PrefillTokens, int PromptTokens, int Tokens,
    int Rounds,
    int Threads, bool IsMapped, int Seed);
