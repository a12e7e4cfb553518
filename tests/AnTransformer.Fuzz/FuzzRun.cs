namespace AnTransformer.Fuzz;

/// <summary>Inputs of one format, made from a seed and read one after the other. Input i of a seed is the same in every run.</summary>
/// <param name="format">The format.</param>
/// <param name="seed">The seed.</param>
/// <param name="hangAfter">When a read counts as one that does not end.</param>
internal sealed class FuzzRun(IFormat format, int seed, TimeSpan hangAfter)
{
    private const int MostHangs = 3;        // each leaves a busy thread behind

    private readonly Judge _judge = new(hangAfter);

    /// <summary>How many inputs had which outcome.</summary>
    public Dictionary<Outcome, int> Counts { get; } = Enum.GetValues<Outcome>().ToDictionary(outcome => outcome, _ => 0);

    /// <summary>Findings by kind: their number, and the first of them.</summary>
    public Dictionary<string, (int Count, int Input, Sample Sample, Verdict Verdict)> Findings { get; } = new(StringComparer.Ordinal);

    /// <summary>The longest read.</summary>
    public double SlowestMilliseconds { get; private set; }

    /// <summary>Whether it ended early, since too many reads did not end.</summary>
    public bool GaveUp { get; private set; }

    /// <summary>Input <paramref name="index"/> of the seed.</summary>
    public Sample Make(int index) => format.Make(new Random(HashOf(seed, index)));

    /// <summary>Reads inputs, each as a file in a directory, where the last one is left if the process dies.</summary>
    /// <param name="first">First input.</param>
    /// <param name="count">Number of inputs.</param>
    /// <param name="directory">An empty directory.</param>
    public void Run(int first, int count, string directory)
    {
        for (var index = first; index < first + count && !GaveUp; index++)
        {
            var sample = Make(index);
            var verdict = Read(sample, directory);
            Counts[verdict.Outcome]++;
            SlowestMilliseconds = Math.Max(SlowestMilliseconds, verdict.Milliseconds);
            if (verdict.Outcome == Outcome.Finding)
            {
                Findings[verdict.Kind] = Findings.TryGetValue(verdict.Kind, out var known)
                    ? known with { Count = known.Count + 1 }
                    : (1, index, sample, verdict);
            }

            GaveUp = _judge.Hangs >= MostHangs;
        }
    }

    /// <summary>A smaller input with a finding of the same kind, found by leaving out ever smaller parts; of a hang the input itself.</summary>
    public Sample Minimize(Sample sample, Verdict verdict, string directory)
    {
        if (verdict.Kind == "hang")
            return sample;
        var bytes = sample.Bytes;
        var tries = 2000;
        for (var part = bytes.Length / 2; part >= 1 && tries > 0; part /= 2)
        {
            for (var at = 0; at < bytes.Length && tries-- > 0;)
            {
                byte[] shorter = [.. bytes.AsSpan(0, at), .. bytes.AsSpan(Math.Min(bytes.Length, at + part))];
                if (Read(sample with { Bytes = shorter }, directory).Kind == verdict.Kind)
                    bytes = shorter;
                else
                    at += part;
            }
        }

        return sample with { Bytes = bytes };
    }

    private Verdict Read(Sample sample, string directory)
    {
        var path = Path.Combine(directory, sample.FileName);
        File.WriteAllBytes(path, sample.Bytes);
        var verdict = _judge.Read(format, path);
        if (verdict.Kind != "hang")
            File.Delete(path);
        return verdict;
    }

    private static int HashOf(int seed, int index)
    {
        // SplitMix64's finalizer: neighbouring inputs have nothing in common.
        var x = ((ulong)(uint)seed << 32) | (uint)index;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return (int)(x ^ (x >> 31));
    }
}
