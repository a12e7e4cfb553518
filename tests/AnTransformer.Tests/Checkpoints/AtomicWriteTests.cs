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

    private static string Id(string temporary) => temporary[^32..];

    /// <summary>A temporary name that a dead process may have left.</summary>
    private string Temporary(string name, string kind, out string id, bool create = false)
    {
        id = StagingName.NewId(name);
        var temporary = new StagingName(name, kind, id).ToString();
        if (create)
            Directory.CreateDirectory(_directory[temporary]);
        return temporary;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_directory_is_written_and_replaced(bool exchange)
    {
        bool TryExchange(string a, string b) => exchange && FileSystem.TryExchange(a, b);
        AtomicDirectory.Write(_directory["x/y"], directory => Fill(directory, "1"), _ => null, TryExchange);
        Assert.Equal("11", Content("x/y"));
        AtomicDirectory.Write(_directory["x/y/"], directory => Fill(directory, "2"), _ => null, TryExchange);
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
        }, _ => null));
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
            _ => null,
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
        }, _ => null));
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
            "is a file",
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
        Directory.CreateDirectory(_directory[Temporary("x", "tmp", out var id) + "/half"]);
        File.WriteAllText(_directory[$".x.lock-{id}"], "");
        File.WriteAllText(_directory[Temporary("y.json", "tmp", out _)], "half");
        Directory.CreateDirectory(_directory[Temporary("x", "old", out _)]);

        AtomicDirectory.Write(_directory["z"], directory =>
        {
            // Beginning to write has cleared the place, and the writer's own names are not leftovers.
            Assert.Equal([$".z.lock-{Id(directory)}", $".z.tmp-{Id(directory)}", .. names], _directory.Names());
            Assert.Empty(AtomicDirectory.RemoveStale(_directory.Path));
            File.WriteAllText(Path.Combine(directory, "c"), "3");
        });
        Assert.Equal([.. names, "z", "z/c"], _directory.Names());
        Assert.Empty(AtomicDirectory.RemoveStale(_directory["none"]));
    }

    [Fact]
    public void What_was_not_made_here_stays_whatever_its_name()
    {
        Directory.CreateDirectory(_directory["elsewhere"]);
        File.WriteAllText(_directory["elsewhere/mine"], "mine");
        Directory.CreateDirectory(_directory[".x.tmp-0123456789abcdef"]);
        File.WriteAllText(_directory[".x.tmp-0123456789abcdef/mine"], "mine");
        File.WriteAllText(_directory[".x.lock-0123456789abcdef"], "mine");
        File.WriteAllText(_directory[".x.old-0123456789abcdef0123456789abcdef"], "mine");
        File.WriteAllText(_directory[Temporary("x", "tmp", out _).Replace(".x.", ".y.", StringComparison.Ordinal)], "mine");
        File.WriteAllText(_directory[".tmp"], "mine");
        Directory.CreateSymbolicLink(_directory[Temporary("x", "tmp", out _)], _directory["elsewhere"]);
        var names = _directory.Names();
        Directory.CreateDirectory(_directory[Temporary("x", "tmp", out _)]);
        Directory.CreateSymbolicLink(_directory[Temporary("x", "tmp", out _, create: true) + "/link"], _directory["elsewhere"]);

        AtomicDirectory.RemoveStale(_directory.Path);
        Assert.Equal(names, _directory.Names());
        Assert.Equal("mine", File.ReadAllText(_directory["elsewhere/mine"]));
    }

    [Fact]
    public void Only_what_the_caller_recognizes_is_replaced_and_a_link_never()
    {
        Directory.CreateDirectory(_directory["home"]);
        File.WriteAllText(_directory["home/mine"], "mine");
        Directory.CreateSymbolicLink(_directory["link"], "home");
        Directory.CreateSymbolicLink(_directory["nowhere"], "none");
        Directory.CreateDirectory(_directory["empty"]);
        var names = _directory.Names();

        Assert.Equal($"'{_directory["home"]}' exists and is not replaced; remove it or choose another name.", Refusal("home", null));
        Assert.Equal($"'{_directory["home"]}' is a home; move.", Refusal("home", place => File.Exists(Path.Combine(place, "mine")) ? "is a home; move" : null));
        Assert.Contains("is a link", Refusal("link", _ => null), StringComparison.Ordinal);
        Assert.Contains("is a link", Refusal("nowhere", _ => null), StringComparison.Ordinal);
        Assert.Equal(names, _directory.Names());
        Assert.Equal("mine", File.ReadAllText(_directory["link/mine"]));

        AtomicDirectory.Write(_directory["empty"], directory => Fill(directory, "1"));
        Assert.Equal("11", Content("empty"));

        string Refusal(string name, Func<string, string?>? objection)
            => Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(
                _directory[name], _ => Assert.Fail("Refused before anything is written."), objection)).Message;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_comes_between_is_not_replaced_either(bool exchange)
    {
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "1"));
        var e = Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(
            _directory["x"],
            directory => Fill(directory, "2"),
            place => File.Exists(Path.Combine(place, "mine")) ? "is somebody's" : null,
            (staged, target) =>
            {
                // After the last look at it.
                File.WriteAllText(_directory["x/mine"], "mine");
                return exchange && FileSystem.TryExchange(staged, target);
            }));
        Assert.Contains("is somebody's", e.Message, StringComparison.Ordinal);
        Assert.Equal(["x", "x/a", "x/mine", "x/sub", "x/sub/b"], _directory.Names());
        Assert.Equal("11", Content("x"));

        Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(_directory["y"], directory =>
        {
            Fill(directory, "2");
            Directory.CreateDirectory(_directory["y/mine"]);
        }));
        Assert.Equal(["x", "x/a", "x/mine", "x/sub", "x/sub/b", "y", "y/mine"], _directory.Names());
    }

    [Fact]
    public void A_second_writer_of_the_same_directory_is_turned_away()
    {
        AtomicDirectory.Write(_directory["x"], directory =>
        {
            Fill(directory, "1");
            var e = Assert.Throws<InvalidInputException>(() => AtomicDirectory.Write(_directory["x"], _ => Assert.Fail("Too late.")));
            Assert.Contains("Another process is making", e.Message, StringComparison.Ordinal);
            AtomicDirectory.Write(_directory["y"], other => Fill(other, "2"));
        });
        Assert.Equal("11", Content("x"));
        Assert.Equal("22", Content("y"));
    }

    [Fact]
    public void A_link_is_replaced_by_a_file_and_what_it_led_to_stays()
    {
        File.WriteAllText(_directory["mine"], "mine");
        File.CreateSymbolicLink(_directory["x"], "mine");
        AtomicFile.WriteAllText(_directory["x"], "1");
        Assert.Equal("mine", File.ReadAllText(_directory["mine"]));
        Assert.Equal("1", File.ReadAllText(_directory["x"]));
    }

    [Fact]
    public void A_version_whose_replacement_a_crash_cut_short_comes_back()
    {
        var old = Temporary("x", "old", out var id, create: true);
        File.WriteAllText(_directory[$"{old}/a"], "1");
        Directory.CreateDirectory(_directory[$".x.tmp-{id}"]);
        AtomicDirectory.RemoveStale(_directory.Path);
        Assert.Equal(["x", "x/a"], _directory.Names());
    }

    [Theory]
    [InlineData(AtomicWriteProbe.Filling, "00")]
    [InlineData(AtomicWriteProbe.BeforeExchange, "00")]
    [InlineData(AtomicWriteProbe.AfterExchange, "11")]
    [InlineData(AtomicWriteProbe.BetweenRenames, "00")]
    public void A_process_killed_at_any_point_leaves_one_version_whole(string point, string content)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The exchange of names is Linux's.");
        AtomicDirectory.Write(_directory["x"], directory => Fill(directory, "0"));
        using (var process = AtomicWriteProbe.Start(_directory["x"], point))
        {
            process.WaitForExit();
            Assert.Equal(128 + 9, process.ExitCode);
        }

        Assert.Equal(point == AtomicWriteProbe.BetweenRenames, !Directory.Exists(_directory["x"]));
        Assert.NotEmpty(AtomicDirectory.RemoveStale(_directory.Path));
        Assert.Equal(content, Content("x"));
        Assert.Equal(["x", "x/a", "x/sub", "x/sub/b"], _directory.Names());
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
            },
            _ => null);
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
