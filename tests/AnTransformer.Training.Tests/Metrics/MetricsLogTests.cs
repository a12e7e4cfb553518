using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Tests.Metrics;

public sealed class MetricsLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.File("metrics.jsonl");

    [Fact]
    public void A_record_is_one_line_with_only_the_figures_that_are_there()
    {
        using (var log = MetricsLog.Open(Path, 0))
        {
            log.Write(new MetricsRecord { Step = 10, Tokens = 20480, Loss = 7.25, LearningRate = 1e-3 });
            log.Write(new MetricsRecord { Step = 10, Tokens = 20480, ValLoss = 7.5, BitsPerByte = 2.5 });
        }

        Assert.Equal(
            "{\"step\":10,\"tokens\":20480,\"loss\":7.25,\"learning_rate\":0.001}\n"
            + "{\"step\":10,\"tokens\":20480,\"val_loss\":7.5,\"bits_per_byte\":2.5}\n",
            File.ReadAllText(Path));
    }

    [Fact]
    public void A_line_is_in_the_file_as_soon_as_it_is_written()
    {
        using var log = MetricsLog.Open(Path, 0);
        for (var step = 1; step <= 3; step++)
        {
            log.Write(Record(step));
            Assert.Equal(step, MetricsLog.Read(Path).Count);
        }
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(0.1 + 0.2)]
    [InlineData(double.Epsilon)]
    public void Every_loss_comes_back_exactly(double loss)
    {
        var record = Record(1) with
        {
            Loss = loss,
            GradNorm = loss,
            MatmulFraction = 0.3,
            TokensPerSecond = 1e5,
            ElapsedSeconds = 1.5,
        };
        using (var log = MetricsLog.Open(Path, 0))
            log.Write(record);
        Assert.Equal([record], MetricsLog.Read(Path));
    }

    [Fact]
    public void Resuming_keeps_the_records_up_to_the_step_byte_for_byte()
    {
        const string kept = "{\"step\":1,\"tokens\":1,\"loss\":2.50,\"from\":\"a later version\"}\n{\"step\":2,\"tokens\":2}\n";
        File.WriteAllText(Path, kept + "{\"step\":3,\"tokens\":3}\n{\"step\":4,\"tokens\":4}\n");
        using (var log = MetricsLog.Open(Path, 2))
            log.Write(new MetricsRecord { Step = 3, Tokens = 30 });
        Assert.Equal(kept + "{\"step\":3,\"tokens\":30}\n", File.ReadAllText(Path));
        Assert.Equal([Path], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_run_that_begins_begins_with_an_empty_log()
    {
        File.WriteAllText(Path, "{\"step\":1,\"tokens\":1}\n");
        MetricsLog.Open(Path, 0).Dispose();
        Assert.Equal("", File.ReadAllText(Path));
    }

    [Fact]
    public void A_last_line_torn_by_a_crash_is_dropped_wherever_it_was_torn()
    {
        const string whole = "{\"step\":1,\"tokens\":1}\n";
        const string torn = "{\"step\":2,\"tokens\":2,\"loss\":1.25}";
        for (var length = 0; length < torn.Length; length++)
        {
            File.WriteAllText(Path, whole + torn[..length]);
            Assert.Single(MetricsLog.Read(Path));
            MetricsLog.Open(Path, 5).Dispose();
            Assert.Equal(whole, File.ReadAllText(Path));
        }

        // Only the line end is missing: nothing is lost.
        File.WriteAllText(Path, whole + torn);
        MetricsLog.Open(Path, 5).Dispose();
        Assert.Equal(whole + torn + "\n", File.ReadAllText(Path));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"tokens\":1}")]
    [InlineData("{\"step\":\"two\",\"tokens\":1}")]
    public void A_damaged_line_within_is_named_and_nothing_is_lost(string line)
    {
        var content = $"{{\"step\":1,\"tokens\":1}}\n{line}\n{{\"step\":3,\"tokens\":3}}\n";
        File.WriteAllText(Path, content);
        var message = $"{Path}:2: is not a metrics record; remove that line, or choose another training.output.";
        Assert.Equal(message, Assert.Throws<InvalidInputException>(() => MetricsLog.Read(Path)).Message);
        Assert.Equal(message, Assert.Throws<InvalidInputException>(() => MetricsLog.Open(Path, 5)).Message);
        Assert.Equal(content, File.ReadAllText(Path));
    }

    [Fact]
    public void A_missing_log_is_empty() => Assert.Empty(MetricsLog.Read(Path));

    [Fact]
    public void A_log_that_cannot_be_written_is_one_sentence()
    {
        Directory.CreateDirectory(Path);
        var message = Assert.Throws<InvalidInputException>(() => MetricsLog.Open(Path, 0)).Message;
        Assert.Contains(Path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    public void Dispose() => _folder.Dispose();

    private static MetricsRecord Record(long step) => new() { Step = step, Tokens = 100 * step, Loss = 1.0 / step };
}
