using System.Text;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Tests.Metrics;

public sealed class TensorBoardWriterTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2025, 6, 1, 12, 0, 0, 250, TimeSpan.Zero);
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("123456789", 0xe3069283u)]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0x8a9136aau)]
    public void The_reader_of_these_tests_computes_the_known_answers_of_crc32c(string text, uint expected)
        => Assert.Equal(expected, EventFile.Crc32C(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Events_hold_the_version_and_every_figure_of_every_record()
    {
        Write(
            new MetricsRecord { Step = 10, Tokens = 9, Loss = 7.25, LearningRate = 1e-3, GradNorm = double.NaN, TokensPerSecond = 3e4 },
            new MetricsRecord { Step = 5_000_000_000, Tokens = 1000, ValLoss = 7.5, BitsPerByte = 2.5 });
        var events = EventFile.Read(Directory.GetFiles(_folder.Path).Single());
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.All(events, item => Assert.Equal(Now.ToUnixTimeMilliseconds() / 1000.0, item.WallTime));
        Assert.Equal([0, 10, 5_000_000_000], events.Select(item => item.Step));
        Assert.Equal(
            [
                ("train/loss", 7.25f), ("train/learning_rate", 1e-3f), ("train/grad_norm", float.NaN),
                ("train/tokens_per_second", 3e4f),
            ],
            events[1].Scalars);
        Assert.Equal([("val/loss", 7.5f), ("val/bits_per_byte", 2.5f)], events[2].Scalars);
        Assert.Equal(3, events.Count);
    }

    [Fact]
    public void The_first_record_is_the_one_that_tensorflow_writes()
    {
        Write();
        var file = File.ReadAllBytes(Directory.GetFiles(_folder.Path).Single());
        // wall_time, step 0 and file_version: 09 <double> 10 00 1a 0d "brain.Event:2".
        Assert.Equal([26, 0, 0, 0, 0, 0, 0, 0], file[..8]);
        Assert.Equal(0x09, file[12]);
        Assert.Equal([0x10, 0x00, 0x1a, 0x0d, .. "brain.Event:2"u8], file[21..38]);
        Assert.Equal(8 + 4 + 26 + 4, file.Length);
    }

    [Fact]
    public void Files_are_named_by_time_and_host_and_none_is_overwritten()
    {
        Write();
        Write();
        Write();
        var name = $"events.out.tfevents.{Now.ToUnixTimeSeconds()}.{Environment.MachineName}";
        Assert.Equal(
            [name, name + ".1", name + ".2"],
            Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_resumed_run_makes_tensorboard_forget_the_steps_after_its_checkpoint()
    {
        using (new TensorBoardWriter(_folder.Path, resumedStep: 100, new FixedClock()))
        {
        }

        var events = EventFile.Read(Directory.GetFiles(_folder.Path).Single());
        const long start = 1;
        Assert.Equal([(0, null), (101, start)], events.Select(item => (item.Step, item.SessionStatus)));
    }

    [Fact]
    public void An_event_is_in_the_file_as_soon_as_it_is_written()
    {
        using var writer = new TensorBoardWriter(_folder.Path, clock: new FixedClock());
        var path = Directory.GetFiles(_folder.Path).Single();
        var before = new FileInfo(path).Length;
        writer.Write(new MetricsRecord { Step = 1, Tokens = 1, Loss = 1 });
        Assert.True(new FileInfo(path).Length > before);
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_one_sentence_with_a_remedy()
    {
        var file = _folder.File("file");
        File.WriteAllText(file, "");
        var message = Assert.Throws<InvalidInputException>(() => new TensorBoardWriter(file)).Message;
        Assert.StartsWith(file + ": ", message, StringComparison.Ordinal);
        Assert.Contains("logging.tensorboard", message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Write(params MetricsRecord[] records)
    {
        using var writer = new TensorBoardWriter(_folder.Path, clock: new FixedClock());
        foreach (var record in records)
            writer.Write(record);
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
