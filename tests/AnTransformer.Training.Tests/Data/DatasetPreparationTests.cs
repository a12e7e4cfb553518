using System.Collections.Concurrent;
using System.Text.Json;
using AnTransformer.Training.Data;
using AnTransformer.Training.Data.Preparation;
using AnTransformer.Training.Tokenization;
using CsCheck;

namespace AnTransformer.Training.Tests.Data;

public sealed class DatasetPreparationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly OffsetByteTokenizer _tokenizer = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ANovelBecomesADatasetThatHoldsAllOfItAsync()
    {
        var novel = FindCorpus();
        var reports = new ConcurrentQueue<PreparationProgress>();
        var result = await DatasetPreparation.RunAsync(
            Options(novel) with { ValidationFraction = 0.05, MaxTokensPerShard = 1_500_000, TokenizerFingerprint = "abc" },
            _tokenizer, new Reporter(reports.Enqueue), TestContext.Current.CancellationToken);

        var size = new FileInfo(novel).Length;
        Assert.Equal(size, result.Info.TrainBytes + result.Info.ValidationBytes);
        Assert.Equal(size + result.Info.TrainDocuments + result.Info.ValidationDocuments,
            result.Info.TrainTokens + result.Info.ValidationTokens);
        Assert.InRange((double)result.Info.ValidationBytes / size, 0.04, 0.06);
        Assert.Empty(result.Warnings);
        Assert.Equal(["dataset.json", "tokenizer.json", "train-000000.bin", "train-000001.bin", "train-000002.bin",
            "val-000000.bin"], Files("out"));
        Assert.Equal(size, reports.Last().BytesRead);
        Assert.Equal(result.Info.TrainTokens + result.Info.ValidationTokens, reports.Last().Tokens);

        using var train = TokenDataset.Open(result.Directory, DatasetSplit.Train, _tokenizer.VocabularySize);
        using var validation = TokenDataset.Open(result.Directory, DatasetSplit.Validation, _tokenizer.VocabularySize);
        train.Validate(_tokenizer.VocabularySize);
        Assert.Equal("abc", train.Info!.TokenizerFingerprint);
        Assert.Equal(JsonSerializer.Serialize(result.Info), JsonSerializer.Serialize(train.Info));

        // Putting the documents of both splits back in their places gives the novel again.
        var (trainDocuments, validationDocuments) =
            (new Queue<byte[]>(Documents(train)), new Queue<byte[]>(Documents(validation)));
        var split = new ValidationSplit(0.05, 0);
        var whole = new List<byte>();
        for (var i = 0; trainDocuments.Count + validationDocuments.Count > 0; i++)
            whole.AddRange((split.IsValidation(i) ? validationDocuments : trainDocuments).Dequeue());
        var original = await File.ReadAllBytesAsync(novel, TestContext.Current.CancellationToken);
        Assert.True(whole.SequenceEqual(original));
    }

    [Fact]
    public void TheNumberOfWorkersDoesNotShow() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 3000].Array[1, 400], Gen.Int[1, 5000], Gen.Long).Sample(
        (texts, shardLength, seed) =>
        {
            if (texts.All(text => text.Length == 0))
                return;
            var input =
                _directory.Write("in.jsonl", string.Join('\n', texts.Select(text => JsonSerializer.Serialize(new { text }))));
            foreach (var workers in new[] { 1, 2, 7 })
            {
                Prepare(Options(input) with
                {
                    OutputDirectory = _directory.At($"out{workers}"),
                    Workers = workers,
                    ValidationFraction = 0.1,
                    MaxTokensPerShard = shardLength + 5000,
                    Seed = seed,
                    Overwrite = true,
                }, _tokenizer);
            }
            foreach (var other in new[] { "out2", "out7" })
            {
                Assert.Equal(Files("out1"), Files(other));
                Assert.All(Files("out1"), file => Assert.True(File.ReadAllBytes(_directory.At($"out1/{file}"))
                    .AsSpan().SequenceEqual(File.ReadAllBytes(_directory.At($"{other}/{file}"))), file));
            }
        }, iter: 10, threads: 1);

    [Fact]
    public void TheSplitHoldsBackOneDocumentOfEachBlock()
    {
        Gen.Select(Gen.Int[2, 200], Gen.Long).Sample((blockLength, seed) =>
        {
            var split = new ValidationSplit(1.0 / blockLength, seed);
            var again = new ValidationSplit(1.0 / blockLength, seed);
            for (var block = 0L; block < 20; block++)
            {
                var chosen = Enumerable.Range(0, blockLength).Where(i => split.IsValidation((block * blockLength) + i))
                    .ToList();
                Assert.Single(chosen);
                Assert.True(again.IsValidation((block * blockLength) + chosen[0]));
            }
            Assert.True(split.IsValidation(1));
        }, iter: 100);
        var places = Enumerable.Range(1, 1000)
            .Select(block => Enumerable.Range(0, 10).Single(i => new ValidationSplit(0.1, 5).IsValidation((block * 10L) + i)));
        Assert.All(places.CountBy(place => place), count => Assert.InRange(count.Value, 60, 140));
        Assert.DoesNotContain(Enumerable.Range(0, 1000), i => new ValidationSplit(0, 0).IsValidation(i));
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(50, 49, 1)]
    [InlineData(202, 200, 2)]
    public void SmallCorporaHaveAValidationDocument(int documents, int train, int validation)
    {
        var input = _directory.Write("in.txt", string.Join('|', Enumerable.Repeat("x", documents)));
        // The seed decides whether the block that the corpus ends in has its document; this one has it at once.
        var seed = Enumerable.Range(0, 100_000).First(i => new ValidationSplit(0.005, i).IsValidation(200));
        var result = Prepare(
            Options(input) with { Source = new() { Separator = "|" }, ValidationFraction = 0.005, Seed = seed }, _tokenizer);
        Assert.Equal((train, validation), (result.Info.TrainDocuments, result.Info.ValidationDocuments));
        Assert.Equal(documents == 1, result.Warnings.Any(warning => warning.Contains("validation", StringComparison.Ordinal)));
        Assert.Equal(validation > 0, File.Exists(_directory.At("out/val-000000.bin")));
    }

    [Fact]
    public void LargeVocabulariesTakeFourBytesAndTokenizersMayLackAnEndOfText()
    {
        var input = _directory.Write("in.txt", "ab");
        var result = Prepare(Options(input), new OffsetByteTokenizer(100_000, endOfText: false));
        Assert.Equal(4, result.Info.BytesPerToken);
        Assert.Contains(result.Warnings, warning => warning.Contains("end-of-text", StringComparison.Ordinal));
        using var train = TokenDataset.Open(_directory.At("out"), DatasetSplit.Train);
        var tokens = new int[2];
        train.Shards[0].CopyTo(0, tokens);
        Assert.Equal([100_097, 100_098], tokens);
        Assert.Contains("vocabulary of 100256", Assert.Throws<InvalidInputException>(
            () => TokenDataset.Open(_directory.At("out"), DatasetSplit.Train, 5000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BytesThatAreNotUtf8AreKeptAndCounted()
    {
        var input = _directory.Write("in.txt", [.. "ok|"u8, 0xFF, (byte)'x', 0xC3, (byte)'|', 0xE6, 0xBC, .. "|é"u8]);
        var result = Prepare(Options(input) with { Source = new() { Separator = "|" }, ValidationFraction = 0 }, _tokenizer);
        Assert.Equal((2, 4), (result.Info.InvalidUtf8Documents, result.Info.InvalidUtf8Bytes));
        Assert.Contains("4 bytes in 2 documents", Assert.Single(result.Warnings), StringComparison.Ordinal);
        using var train = TokenDataset.Open(_directory.At("out"), DatasetSplit.Train);
        Assert.Equal([[.. "ok"u8], [0xFF, (byte)'x', 0xC3], [0xE6, 0xBC], [.. "é"u8]], Documents(train));
    }

    [Fact]
    public void AFailureLeavesNothingAndTheOldDatasetIntact()
    {
        var good = _directory.Write("good.jsonl", "{\"text\":\"good\"}");
        Prepare(Options(good), _tokenizer);
        var before = Directory.GetFiles(_directory.At("out")).ToDictionary(file => file, File.ReadAllBytes);
        var lines = string.Concat(Enumerable.Repeat("{\"text\":\"" + new string('x', 1000) + "\"}\n", 2000));
        var bad = _directory.Write("bad.jsonl", lines + "{\"text\":oops}");

        var message = Assert.Throws<InvalidInputException>(() => Prepare(Options(bad), _tokenizer)).Message;
        Assert.Contains("exists", message, StringComparison.Ordinal);
        message = Assert.Throws<InvalidInputException>(() => Prepare(Options(bad) with { Overwrite = true }, _tokenizer))
            .Message;
        Assert.Contains("bad.jsonl' line 2001", message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => Prepare(
            Options(_directory.Write("empty.txt", "")) with { Overwrite = true }, _tokenizer));
        Assert.Throws<InvalidOperationException>(() => Prepare(Options(good) with { Overwrite = true }, new BrokenTokenizer()));
        using var cancelled = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => DatasetPreparation.Run(
            Options(good) with { Overwrite = true }, _tokenizer, new Reporter(_ => cancelled.Cancel()), cancelled.Token));

        Assert.Equal([_directory.At("out")], Directory.GetDirectories(_directory.Root));
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
    }

    [Fact]
    public void OnlyDatasetsAreOverwritten()
    {
        var input = _directory.Write("in.txt", "some text");
        _directory.Write("home/precious.doc", "precious");
        Assert.Contains("not overwritten", Message(
            Options(input) with { OutputDirectory = _directory.At("home"), Overwrite = true }), StringComparison.Ordinal);
        Assert.Contains("is a file", Message(Options(input) with { OutputDirectory = input, Overwrite = true }),
            StringComparison.Ordinal);
        var inside = Options(_directory.Write("x/in.txt", "a")) with { OutputDirectory = _directory.At("x") };
        Assert.Contains("in the output directory", Message(inside), StringComparison.Ordinal);
        Directory.CreateDirectory(_directory.At("out"));
        Prepare(Options(input), _tokenizer);
        Prepare(Options(_directory.Write("in2.txt", "other")) with { Overwrite = true }, _tokenizer);
        using var train = TokenDataset.Open(_directory.At("out"), DatasetSplit.Train);
        Assert.Equal([[.. "other"u8]], Documents(train));
        Assert.Equal(["home", "out", "x"], Directory.GetDirectories(_directory.Root).Select(path => Path.GetFileName(path))
            .Order());
    }

    [Fact]
    public void WhatLooksLikeALeftoverButIsSomebodysStays()
    {
        var input = _directory.Write("in.txt", "some text");
        string[] others = ["out.partial/mine.txt", "out.replaced/mine.txt", ".out.tmp-0123456789abcdef/mine.txt", "elsewhere/mine.txt"];
        foreach (var file in others)
            _directory.Write(file, "mine");
        Directory.CreateSymbolicLink(_directory.At("link.partial"), "elsewhere");
        Prepare(Options(input), _tokenizer);
        Prepare(Options(input) with { Overwrite = true }, _tokenizer);
        Prepare(Options(input) with { OutputDirectory = _directory.At("link") }, _tokenizer);
        Assert.All(others, file => Assert.Equal("mine", File.ReadAllText(_directory.At(file))));
        Assert.Equal("elsewhere", new FileInfo(_directory.At("link.partial")).LinkTarget);
        Assert.Equal(["dataset.json", "tokenizer.json", "train-000000.bin"], Files("out"));
    }

    [Fact]
    public void ALinkIsNotWrittenThrough()
    {
        var input = _directory.Write("in.txt", "some text");
        Prepare(Options(input), _tokenizer);
        Directory.CreateSymbolicLink(_directory.At("link"), "out");
        Directory.CreateSymbolicLink(_directory.At("dangling"), "nowhere");
        foreach (var link in new[] { "link", "dangling" })
        {
            Assert.Contains("is a link", Message(Options(input) with { OutputDirectory = _directory.At(link), Overwrite = true }),
                StringComparison.Ordinal);
        }

        Assert.Equal("out", new FileInfo(_directory.At("link")).LinkTarget);
        Assert.Equal(["dataset.json", "tokenizer.json", "train-000000.bin"], Files("out"));
    }

    [Fact]
    public void TwoRunsWithOneOutputDoNotDamageEachOther()
    {
        var input = _directory.Write("in.txt", "some text");
        var other = _directory.Write("other.txt", "other text");
        string? refusal = null;
        DatasetPreparation.Run(
            Options(input), _tokenizer, new Reporter(_ => refusal ??= Message(Options(other) with { Overwrite = true })),
            TestContext.Current.CancellationToken);
        Assert.Contains("Another process is making", refusal, StringComparison.Ordinal);
        using var train = TokenDataset.Open(_directory.At("out"), DatasetSplit.Train);
        Assert.Equal([[.. "some text"u8]], Documents(train));
        Assert.Equal([_directory.At("out")], Directory.GetDirectories(_directory.Root));
    }

    [Fact]
    public void FilesOfTheCallersAreThereWhenTheDirectoryIs()
    {
        var input = _directory.Write("in.txt", "some text");
        Prepare(Options(input) with
        {
            Complete = directory =>
            {
                Assert.False(Directory.Exists(_directory.At("out")));
                File.WriteAllText(Path.Combine(directory, "settings.json"), "{}");
            },
        }, _tokenizer);
        Assert.Equal(["dataset.json", "settings.json", "tokenizer.json", "train-000000.bin"], Files("out"));
        Prepare(Options(input) with { Overwrite = true }, _tokenizer);
        Assert.Equal(["dataset.json", "tokenizer.json", "train-000000.bin"], Files("out"));
    }

    [Theory]
    [InlineData("notes.txt", "notes", "holds 'notes.txt'")]
    [InlineData("train-x.bin", "mine", "holds 'train-x.bin'")]
    [InlineData("more/notes.txt", "notes", "holds 'more'")]
    [InlineData("dataset.json", "{\"name\": \"a data set of another kind\"}", "its dataset.json is not that of one")]
    public void ADirectoryWithAnythingElseInItIsNotADataset(string file, string content, string part)
    {
        var input = _directory.Write("in.txt", "some text");
        Prepare(Options(input), _tokenizer);
        _directory.Write($"out/{file}", content);
        Assert.Contains(part, Message(Options(input) with { Overwrite = true }), StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(_directory.At($"out/{file}")));
        Assert.True(File.Exists(_directory.At("out/train-000000.bin")));
    }

    [Fact]
    public void AnUnwritableOutputIsOneClearError()
    {
        var input = _directory.Write("in.txt", "some text");
        var message = Message(Options(input) with { OutputDirectory = Path.Combine(input, "out") });
        Assert.Contains($"Cannot write '{Path.Combine(input, "out")}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFullDiskIsOneClearError()
    {
        var input = _directory.Write("in.txt", "some text");
        var message = Assert.Throws<InvalidInputException>(() => Prepare(Options(input), new FullDiskTokenizer())).Message;
        Assert.Contains("No space left on device", message, StringComparison.Ordinal);
        Assert.Equal([input], Directory.GetFileSystemEntries(_directory.Root));
    }

    [Theory]
    [InlineData(-0.1)]
    [InlineData(0.6)]
    [InlineData(double.NaN)]
    public void FractionsOutOfRangeAreRefused(double fraction) =>
        Assert.Contains("0 to 0.5", Message(Options("x") with { ValidationFraction = fraction }), StringComparison.Ordinal);

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"format_version\": 99}", "99")]
    public void ABrokenDescriptionIsRefused(string json, string part = "dataset.json")
    {
        _directory.Write("out/dataset.json", json);
        Assert.Contains(part, Assert.Throws<InvalidInputException>(() => DatasetInfo.Load(_directory.At("out"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void AMissingShardIsNoticed()
    {
        var input = _directory.Write("in.txt", new string('x', 1000));
        Prepare(Options(input) with { MaxTokensPerShard = 300 }, _tokenizer);
        File.Delete(_directory.At("out/train-000001.bin"));
        Assert.Contains("701 tokens, but dataset.json says 1001", Assert.Throws<InvalidInputException>(
            () => TokenDataset.Open(_directory.At("out"), DatasetSplit.Train)).Message, StringComparison.Ordinal);
    }

    private PreparationOptions Options(string input) =>
        new() { Inputs = [input], OutputDirectory = _directory.At("out"), Workers = 2 };

    private static PreparationResult Prepare(PreparationOptions options, Tokenizer tokenizer) =>
        DatasetPreparation.Run(options, tokenizer, null, TestContext.Current.CancellationToken);

    private string Message(PreparationOptions options) =>
        Assert.Throws<InvalidInputException>(() => Prepare(options, _tokenizer)).Message;

    private string[] Files(string directory) =>
        [.. Directory.GetFiles(_directory.At(directory)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private List<byte[]> Documents(TokenDataset dataset)
    {
        var documents = new List<byte[]>();
        var document = new List<byte>();
        foreach (var shard in dataset.Shards)
        {
            var tokens = new int[shard.Length];
            shard.CopyTo(0, tokens);
            foreach (var token in tokens)
            {
                if (token != _tokenizer.EndOfTextId)
                {
                    document.Add((byte)token);
                    continue;
                }
                documents.Add([.. document]);
                document.Clear();
            }
        }
        Assert.Empty(document);
        return documents;
    }

    private static string FindCorpus()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "data", "austen.txt")))
            directory = directory.Parent ?? throw new FileNotFoundException("data/austen.txt");
        return Path.Combine(directory.FullName, "data", "austen.txt");
    }

    private sealed class Reporter(Action<PreparationProgress> report) : IProgress<PreparationProgress>
    {
        public void Report(PreparationProgress value) => report(value);
    }

    private class ThrowingTokenizer(Exception onEncode, Exception onSave) : Tokenizer
    {
        public override int VocabularySize => 256;

        public override int? EndOfTextId => null;

        public override void Encode(ReadOnlySpan<byte> text, List<int> tokens)
        {
            if (onEncode is not null)
                throw onEncode;
            tokens.Add(1);
        }

        public override ReadOnlySpan<byte> GetBytes(int token) => [];

        public override void Save(string directory) => throw onSave;
    }

    private sealed class BrokenTokenizer() : ThrowingTokenizer(new InvalidOperationException("broken"), null!);

    private sealed class FullDiskTokenizer() : ThrowingTokenizer(null!, new IOException("No space left on device"));
}
