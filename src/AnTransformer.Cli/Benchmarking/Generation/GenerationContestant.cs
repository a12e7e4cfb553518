using System.Diagnostics;
using AnTransformer.Inference;

namespace AnTransformer.Cli.Benchmarking.Generation;

/// <summary>A checkpoint in one dtype, and its timings.</summary>
internal sealed class GenerationContestant : IDisposable
{
    private readonly Random _random;

    /// <summary>Loads it.</summary>
    /// <param name="name">What the report calls it.</param>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="dtype">What its weights are packed to.</param>
    /// <param name="settings">What is timed.</param>
    public GenerationContestant(string name, string directory, WeightDtype dtype, GenerationBenchSettings settings)
    {
        (Name, Directory, Dtype) = (name, directory, dtype);
        _random = new Random(settings.Seed);
        Model = InferenceModel.Load(directory, new InferenceOptions(dtype, settings.Threads, settings.IsMapped));
        DecodeRates = settings.Batches.ToDictionary(batch => batch, _ => new List<double>());
    }

    public string Name { get; }

    public string Directory { get; }

    public WeightDtype Dtype { get; }

    public InferenceModel Model { get; }

    /// <summary>Tokens per second of reading a text, by round.</summary>
    public List<double> PrefillRates { get; } = [];

    /// <summary>Tokens per second of all sequences together, by number of sequences and round.</summary>
    public Dictionary<int, List<double>> DecodeRates { get; }

    /// <summary>
    /// Seconds of new processes from their start to their end, with one token scored after a short prompt.
    /// </summary>
    public List<double> ProcessSeconds { get; } = [];

    /// <summary>Bytes of keys and values of one sequence of the longest batch.</summary>
    public long CacheBytes { get; private set; }

    /// <summary>One round.</summary>
    /// <param name="settings">What is timed.</param>
    /// <param name="isTimed">False to warm up.</param>
    public void RunRound(GenerationBenchSettings settings, bool isTimed)
    {
        using (var session = Model.CreateSession())
        {
            var text = Tokens(settings.PrefillTokens);
            var clock = Stopwatch.StartNew();
            session.Prefill(text);
            if (isTimed)
                PrefillRates.Add(text.Length / clock.Elapsed.TotalSeconds);
        }

        foreach (var batch in settings.Batches)
        {
            var rate = DecodeRate(batch, settings);
            if (isTimed)
                DecodeRates[batch].Add(rate);
        }
    }

    public void Dispose() => Model.Dispose();

    private double DecodeRate(int batch, GenerationBenchSettings settings)
    {
        var sessions = Enumerable.Range(0, batch).Select(_ => Model.CreateSession()).ToArray();
        try
        {
            foreach (var session in sessions)
                session.Prefill(Tokens(settings.PromptTokens));
            var next = Tokens(batch);
            var (vocabulary, clock) = (Model.Config.VocabSize, Stopwatch.StartNew());
            for (var i = 0; i < settings.Tokens; i++)
            {
                var logits = Model.Decode(sessions, next);
                for (var sequence = 0; sequence < batch; sequence++)
                    next[sequence] = ArgMax(logits.Slice(sequence * vocabulary, vocabulary));
            }

            var rate = batch * settings.Tokens / clock.Elapsed.TotalSeconds;
            CacheBytes = sessions[0].CacheBytes;
            return rate;
        }
        finally
        {
            foreach (var session in sessions)
                session.Dispose();
        }
    }

    private int[] Tokens(int count)
        => [.. Enumerable.Range(0, count).Select(_ => _random.Next(Model.Config.VocabSize))];

    private static int ArgMax(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
                best = i;
        }

        return best;
    }
}
