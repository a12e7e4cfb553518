using AnTransformer.Training.Data;

namespace AnTransformer.Training.Tests.Data;

public sealed class TokenDatasetTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void WindowsDoNotCrossShards()
    {
        // 10 tokens: windows at 0, 3 and 6 (the last needs tokens 6 to 9); 9 tokens: two; 3 tokens: none.
        WriteRange("train-000000.bin", 0, 10);
        WriteRange("train-000001.bin", 100, 3);
        WriteRange("train-000002.bin", 200, 9);
        using var dataset = TokenDataset.Open(_directory.Root, DatasetSplit.Train);
        Assert.Equal(22, dataset.TokenCount);
        Assert.Equal(5, dataset.WindowCount(3));
        var starts = new List<long>();
        for (var window = 0; window < 5; window++)
        {
            var (inputs, targets) = (new long[3], new long[3]);
            dataset.CopyWindow(window, 3, inputs, targets);
            Assert.Equal(inputs.Select(token => token + 1), targets);
            starts.Add(inputs[0]);
        }
        Assert.Equal([0, 3, 6, 200, 203], starts);
        Assert.Throws<ArgumentOutOfRangeException>(() => dataset.CopyWindow(5, 3, new long[3], new long[3]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void EveryEpochVisitsEveryWindowOnceInAnotherOrder(int sequenceLength)
    {
        WriteRange("train-0.bin", 0, 500);
        WriteRange("train-1.bin", 500, 420);
        using var dataset = TokenDataset.Open(_directory.Root, DatasetSplit.Train);
        var sampler = WindowSampler.Shuffled(dataset, sequenceLength, seed: 42);
        var count = (int)sampler.WindowCount;
        var orders = new List<List<long>>();
        for (var epoch = 0; epoch < 3; epoch++)
        {
            var order = new List<long>();
            for (var i = 0; i < count; i++)
                order.Add(ReadFirst(sampler, ((long)epoch * count) + i));
            Assert.Equal(count, order.Distinct().Count());
            Assert.NotEqual(order.Order(), order);
            orders.Add(order);
        }
        Assert.NotEqual(orders[0], orders[1]);
        Assert.NotEqual(orders[1], orders[2]);
        Assert.NotEqual(orders[0], Enumerable.Range(0, count)
            .Select(i => ReadFirst(WindowSampler.Shuffled(dataset, sequenceLength, 43), i)));
    }

    [Fact]
    public void ABatchIsItsSequencesWhereverItStarts()
    {
        WriteRange("val-0.bin", 0, 101);
        using var dataset = TokenDataset.Open(_directory.Root, DatasetSplit.Validation);
        var sampler = WindowSampler.Shuffled(dataset, 5, 1);
        var (inputs, targets) = (new long[7 * 5], new long[7 * 5]);
        sampler.GetBatch(17, 7, inputs, targets); // N = 20: crosses into the second epoch
        for (var row = 0; row < 7; row++)
        {
            var start = sampler.WindowOf(17 + row) * 5;
            Assert.Equal(Enumerable.Range(0, 5).Select(i => start + i), inputs[(row * 5)..((row + 1) * 5)]);
            Assert.Equal(Enumerable.Range(1, 5).Select(i => start + i), targets[(row * 5)..((row + 1) * 5)]);
        }
        Assert.Equal([0, 1, 19, 0], new long[] { 0, 1, 19, 20 }.Select(WindowSampler.Sequential(dataset, 5).WindowOf));
    }

    [Fact]
    public void ASplitTooSmallForAWindowSaysWhatItNeeds()
    {
        WriteRange("val-0.bin", 0, 64);
        using var dataset = TokenDataset.Open(_directory.Root, DatasetSplit.Validation);
        Assert.Equal(1, dataset.WindowCount(63));
        var message = Assert.Throws<InvalidInputException>(() => WindowSampler.Sequential(dataset, 64)).Message;
        Assert.Contains("64 tokens", message, StringComparison.Ordinal);
        Assert.Contains("needs 65", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForeignShardsOpenByTheirNames()
    {
        WriteRange("tinystories_train_000002.bin", 20, 10);
        WriteRange("tinystories_train_000001.bin", 0, 10);
        WriteRange("tinystories_val_000000.bin", 50, 10);
        using var train = TokenDataset.Open(_directory.Root, DatasetSplit.Train);
        Assert.Null(train.Info);
        Assert.Equal(["tinystories_train_000001.bin", "tinystories_train_000002.bin"],
            train.Shards.Select(shard => Path.GetFileName(shard.Path)));
        using var validation = TokenDataset.Open(_directory.Root, DatasetSplit.Validation);
        Assert.Equal(10, validation.TokenCount);
        using var pattern = TokenDataset.Open(_directory.At("*_train_*1.bin"), DatasetSplit.Validation);
        Assert.Equal(10, pattern.TokenCount);
        using var file = TokenDataset.Open(_directory.At("tinystories_val_000000.bin"), DatasetSplit.Train);
        Assert.Equal(10, file.TokenCount);
        using var named =
            TokenDataset.Open([_directory.At("tinystories_train_000002.bin"), _directory.At("tinystories_val_000000.bin")]);
        Assert.Equal(20, named.TokenCount);
    }

    [Fact]
    public void SingleShardsOfLlmcOpenByTheirNames()
    {
        WriteRange("tiny_shakespeare_train.bin", 0, 10);
        WriteRange("tiny_shakespeare_val.bin", 50, 7);
        using var train = TokenDataset.Open(_directory.Root, DatasetSplit.Train);
        using var validation = TokenDataset.Open(_directory.Root, DatasetSplit.Validation);
        Assert.Equal((10, 7), (train.TokenCount, validation.TokenCount));
        var message = Assert.Throws<InvalidInputException>(() => train.Validate(5)).Message;
        Assert.Contains("50257", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ShardsWithoutAHeaderAreNamedAsNanoGptsOwn()
    {
        _directory.Write("train.bin", new byte[5000]);
        var message = Assert.Throws<InvalidInputException>(() => TokenDataset.Open(_directory.Root, DatasetSplit.Train)).Message;
        Assert.Contains("nanoGPT", message, StringComparison.Ordinal);
        Assert.Contains(_directory.At("train.bin"), message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATextTooShortForAWindowIsNamedItself()
    {
        WriteRange("train-000000.bin", 0, 10);
        using var dataset = TokenDataset.OpenText(_directory.Root, "poem.txt", 1000);
        var message = Assert.Throws<InvalidInputException>(() => dataset.WindowCount(64)).Message;
        Assert.Contains("'poem.txt'", message, StringComparison.Ordinal);
        Assert.DoesNotContain(_directory.Root, message, StringComparison.Ordinal);
        Assert.DoesNotContain("validation", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ShardsThatDoNotBelongTogetherAreRefused()
    {
        WriteRange("train-0.bin", 0, 10);
        _directory.WriteShard("train-1.bin", [1, 2, 3], 100_000);
        Assert.Contains("bytes per token", Message(_directory.Root, DatasetSplit.Train), StringComparison.Ordinal);
        Assert.Contains("val-*.bin", Message(_directory.Root, DatasetSplit.Validation), StringComparison.Ordinal);
        Assert.Contains("nowhere", Message(_directory.At("nowhere"), DatasetSplit.Train), StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => TokenDataset.Open([]));

        static string Message(string path, DatasetSplit split) =>
            Assert.Throws<InvalidInputException>(() => TokenDataset.Open(path, split)).Message;
    }

    [Fact]
    public void IdsOutsideTheModelsVocabularyAreRefused()
    {
        _directory.WriteShard("train-0.bin", [1, 2, 3, 4, 5, 99, 7, 8, 9]);
        using var dataset = TokenDataset.Open(_directory.Root, DatasetSplit.Train, vocabularySize: 50);
        dataset.CopyWindow(0, 4, new long[4], new long[4]);
        var message = Assert.Throws<InvalidInputException>(() => dataset.CopyWindow(1, 4, new long[4], new long[4])).Message;
        Assert.Contains("token id 99 at token offset 5", message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => dataset.Validate(99));
        dataset.Validate(100);
    }

    private static long ReadFirst(WindowSampler sampler, long sequence)
    {
        var (inputs, targets) = (new long[sampler.SequenceLength], new long[sampler.SequenceLength]);
        sampler.GetBatch(sequence, 1, inputs, targets);
        Assert.Equal(inputs.Select(token => token + 1), targets);
        return inputs[0];
    }

    private void WriteRange(string name, int first, int count) =>
        _directory.WriteShard(name, Enumerable.Range(first, count).ToArray());
}
