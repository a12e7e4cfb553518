using AnTransformer.Checkpoints;

namespace AnTransformer.Tests.Checkpoints;

public sealed class AtomicWriteTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    private static void Fill(string directory, string content)
    {
        File.WriteAllText(Path.Combine(directory, "a"), content);
        Directory.CreateDirectory(Path.Combine(directory, "sub"));
        File.WriteAllText(Path.Combine(directory, "sub", "b"), content);
    }

    private string Content(string name) =>
        File.ReadAllText(_directory[Path.Combine(name, "a")]) + File.ReadAllText(_directory[Path.Combine(name, "sub", "b")]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_directory_is_written_and_replaced(bool exchange)
    {
        bool TryExchange(string a, string b) => exchange && FileSystem.TryExchange(a, b);
        AtomicDirectory.Write(_directory["x/y"], directory => Fill(directory, "1"), TryExchange);
        Assert.Equal("11", Content("x/y"));
        AtomicDirectory.Write(_directory["x/y/"], directory => Fill(directory, "2"), TryExchange);
        Assert.Equal("22", Content("x/y"));
        Assert.Equal(["x", "x/y", "x/y/a", "x/y/sub", "x/y/sub/b"], _directory.Names());
    }

    [Fact]
    public void Names_are_exchanged_in_one_step_on_Linux()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "renameat2 is Linux's.");
        Directory.CreateDirectory(_directory["x"]);
        Directory.CreateDirectory(_directory["y/z"]);
        Assert.True(FileSystem.TryExchange(_directory["x"], _directory["y"]));
        Assert.Equal(["x", "x/z", "y"], _directory.Names());
        Assert.False(FileSystem.TryExchange(_directory["x"], _directory["none"]));
    }

    [Fact]
    public void An_exception_leaves_the_earlier_directory_and_nothing_else()
    {
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "1"));
        var names = _directory.Names();
        Assert.Throws<FormatException>(() => AtomicDirectory.Write(_directory["x"], directory =>
        {
            Fill(directory, "2");
            throw new FormatException();
        }));
        Assert.Equal("11", Content("x"));
        Assert.Equal(names, _directory.Names());
    }

    [Fact]
    public void A_rename_that_fails_puts_the_earlier_directory_back()
    {
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "1"));
        var names = _directory.Names();
        string? moved = null;
        Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(
            _directory["x"],
            directory => Fill(directory, "2"),
            (staged, _) =>
            {
                // Gone before it can be renamed.
                Directory.Delete(moved = staged, recursive: true);
                return false;
            }));
        Assert.NotNull(moved);
        Assert.Equal("11", Content("x"));
        Assert.Equal(names, _directory.Names());
    }

    [Fact]
    public void A_full_disk_leaves_the_earlier_directory_and_says_so()
    {
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "1"));
        var names = _directory.Names();
        var e = Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(_directory["x"], directory =>
        {
            Fill(directory, "2");
            using var file = File.Create(Path.Combine(directory, "model"));
            using var full = new FullStream(file, capacity: 100);
            var writer = new SafetensorsWriter(full, [("x", SafetensorsDtype.U8, [1000])]);
            writer.Write("x", new byte[1000]);
        }));
        Assert.Equal(
            $"Cannot write '{_directory["x"]}': No space left on device; free space there or choose another place. What was there "
            + "before is intact.",
            e.Message);
        Assert.Equal("11", Content("x"));
        Assert.Equal(names, _directory.Names());
    }

    [Fact]
    public void A_file_is_written_and_replaced_or_left()
    {
        var path = _directory["sub/x.json"];
        AtomicFile.WriteAllText(path, "1é");
        AtomicFile.WriteAllText(path, "2é");
        Assert.Equal("2é"u8.ToArray(), File.ReadAllBytes(path));
        var e = Assert.Throws<InvalidInputException>(() => AtomicFile.Write(path, stream =>
        {
            using var full = new FullStream(stream, capacity: 1);
            full.Write([1, 2]);
        }));
        Assert.Contains("No space left", e.Message);
        Assert.Equal("2é", File.ReadAllText(path));
        Assert.Equal(["sub", "sub/x.json"], _directory.Names());
    }

    [Fact]
    public void Places_that_cannot_be_written_are_named()
    {
        File.WriteAllText(_directory["file"], "1");
        var inFile = _directory["file/x"];
        Assert.StartsWith(
            $"Cannot write '{inFile}': ", Assert.Throws<InvalidInputException>(() => AtomicFile.WriteAllText(inFile, "2")).Message);
        Assert.Contains(
            "there is a file of that name",
            Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(_directory["file"], _ => { })).Message);
        Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write("/", _ => { }));
        Assert.Throws<InvalidInputException>(() => AtomicFile.WriteAllText(_directory.Path, "2"));
        Assert.Equal("1", File.ReadAllText(_directory["file"]));
        Assert.Equal(["file"], _directory.Names());
    }

    [Fact]
    public void Leftovers_of_the_dead_go_and_those_of_the_living_stay()
    {
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "1"));
        var names = _directory.Names();
        const string Id = "0123456789abcdef";
        Directory.CreateDirectory(_directory[$".x.tmp-{Id}/half"]);
        File.WriteAllText(_directory[$".x.lock-{Id}"], "");
        File.WriteAllText(_directory[$".y.json.tmp-{Id}"], "half");
        Directory.CreateDirectory(_directory[$".x.old-{Id}"]);
        File.WriteAllText(_directory[".tmp"], "");
        File.WriteAllText(_directory[".x.tmp-other"], "");

        AtomicDirectory.Write(_directory["z"], directory =>
        {
            File.WriteAllText(Path.Combine(directory, "c"), "3");
            Assert.Equal(4, AtomicDirectory.RemoveStale(_directory.Path).Count);
        });
        Assert.Equal([".tmp", ".x.tmp-other", .. names, "z", "z/c"], _directory.Names());
        Assert.Empty(AtomicDirectory.RemoveStale(_directory["none"]));
    }

    [Fact]
    public void A_version_whose_replacement_a_crash_cut_short_comes_back()
    {
        const string Id = "0123456789abcdef";
        Directory.CreateDirectory(_directory[$".x.old-{Id}"]);
        File.WriteAllText(_directory[$".x.old-{Id}/a"], "1");
        Directory.CreateDirectory(_directory[$".x.tmp-{Id}"]);
        AtomicDirectory.RemoveStale(_directory.Path);
        Assert.Equal(["x", "x/a"], _directory.Names());
    }

    [Fact]
    public void A_killed_process_loses_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The exchange of names is Linux's.");
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "0"));
        for (var round = 0; round < 4; round++)
        {
            using (var process = AtomicWriteProbe.Start(_directory["x"]))
            {
                // Some writes went through; it is killed in the middle of whatever it does then.
                for (var i = 0; i <= round; i++)
                    Assert.NotNull(process.StandardOutput.ReadLine());
                process.Kill();
                process.WaitForExit();
            }

            AtomicDirectory.RemoveStale(_directory.Path);
            var content = Content("x");
            Assert.Equal(content[..(content.Length / 2)], content[(content.Length / 2)..]);
            Assert.Equal(["x", "x/a", "x/sub", "x/sub/b"], _directory.Names());
        }
    }

    [Fact]
    public async Task A_reader_never_sees_a_file_that_is_missing_or_mixed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The exchange of names is Linux's.");
        var path = _directory["x"];
        void Write(byte value) => AtomicDirectory.Write(
            path,
            directory =>
            {
                using var stream = File.Create(Path.Combine(directory, "m"));
                var writer = new SafetensorsWriter(stream, [("x", SafetensorsDtype.U8, [5000])]);
                writer.Write("x", Enumerable.Repeat(value, 5000).ToArray());
                writer.Complete();
            });
        Write(0);
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            var reads = 0;
            while (!stop.IsCancellationRequested || reads == 0)
            {
                using var file = SafetensorsFile.Open(Path.Combine(path, "m"));
                var bytes = file.GetBytes("x");
                Assert.True(bytes.IndexOfAnyExcept(bytes[0]) < 0);
                reads++;
            }
        }, TestContext.Current.CancellationToken);
        for (byte i = 1; i <= 50; i++)
            Write(i);
        await stop.CancelAsync();
        await reader;
    }

    /// <summary>A disk with room for so many bytes.</summary>
    private sealed class FullStream(Stream inner, long capacity) : Stream
    {
        private long _room = capacity;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            inner.Write(buffer[..(int)Math.Min(buffer.Length, _room)]);
            if (buffer.Length > _room)
                throw new IOException("No space left on device", 28);
            _room -= buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
