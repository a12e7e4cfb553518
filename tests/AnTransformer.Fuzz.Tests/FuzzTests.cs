namespace AnTransformer.Fuzz.Tests;

/// <summary>A few inputs of each format, always the same ones; many more by the program itself (CONTRIBUTING.md).</summary>
public sealed class FuzzTests : IDisposable
{
    private const int Inputs = 300;
    private const int Seed = 20_250_522;

    // Reads take milliseconds, and what hangs, hangs for ever.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("fuzz").FullName;

    public static TheoryData<string> Formats => new(AllFormats.Names);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Damaged_files_are_read_or_refused_in_one_sentence(string format)
    {
        var run = new FuzzRun(AllFormats.Create(format), Seed, Patience);
        run.Run(first: 0, Inputs, _directory);
        Assert.Empty(run.Findings.Select(item => $"input {item.Value.Input}: {item.Key}: {item.Value.Verdict.Detail}"));
        Assert.InRange(run.Counts[Outcome.Accepted], 1, Inputs - 1);
        Assert.InRange(run.Counts[Outcome.Refused], 1, Inputs - 1);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void An_input_depends_on_seed_and_number_alone(string format)
    {
        var (first, second) = (Run(Seed), Run(Seed));
        _ = second.Make(3);
        Assert.Equal(first.Make(7).Bytes, second.Make(7).Bytes);
        Assert.Contains(Enumerable.Range(0, 20), i => !first.Make(i).Bytes.AsSpan().SequenceEqual(Run(Seed + 1).Make(i).Bytes));

        FuzzRun Run(int seed) => new(AllFormats.Create(format), seed, Patience);
    }

    [Fact]
    public void Whatever_is_no_sentence_is_found_and_made_small()
    {
        var run = new FuzzRun(new Faulty(), Seed, TimeSpan.FromSeconds(1));
        run.Run(first: 0, count: 6, _directory);
        Assert.Equal(1, run.Counts[Outcome.Accepted]);
        // Of the two one has two lines, which the exception makes one.
        Assert.Equal(2, run.Counts[Outcome.Refused]);
        string[] kinds =
        [
            "NotSupportedException in Faulty.Read", "allocation", "hang",
        ];
        Assert.Equal(kinds, run.Findings.Keys.Order(StringComparer.Ordinal));
        var (_, input, sample, verdict) = run.Findings[kinds[0]];
        Assert.Equal(2, input);
        Assert.Equal([2], run.Minimize(sample, verdict, _directory).Bytes);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Its first byte says what becomes of a file, in turn.</summary>
    private sealed class Faulty : IFormat
    {
        private int _made;

        public string Name => "faulty";

        public Sample Make(Random random)
        {
            var kind = (byte)(_made++ % 6);
            return new Sample("file", [kind, 9, 9, 9, 9, 9, 9, 9, 9]);
        }

        public void Read(string path)
        {
            var bytes = File.ReadAllBytes(path);
            switch (bytes.Length == 0 ? 0 : bytes[0])
            {
                case 1:
                    throw new InvalidInputException("It is refused.");
                case 2:
                    throw new NotSupportedException("a defect");
                case 3:
                    throw new InvalidInputException("It is refused.\nTwice.");
                case 4:
                    GC.KeepAlive(new byte[100 << 20]);
                    break;
                case 5:
                    Thread.Sleep(Timeout.Infinite);
                    break;
            }
        }
    }
}
