using AnTransformer.Native;
using CsCheck;

namespace AnTransformer.Tests.Native;

public sealed class ElfVersionNeedsTests
{
    private static readonly string Library = Path.Combine(
        NativeLibraries.FindDirectory(NativeLibraries.SearchDirectories(), "LibTorchSharp")!, "libLibTorchSharp.so");

    private static readonly Lazy<byte[]> Image = new(() => File.ReadAllBytes(Library));

    private static byte[] Copy() => (byte[])Image.Value.Clone();

    [Fact]
    public void Finds_the_versions_of_TorchSharps_library()
    {
        LinuxOnly();
        var needs = ElfVersionNeeds.Parse(Copy());
        var entry = Assert.NotNull(needs.Find("GLIBCXX_3.4.32"));
        Assert.Equal("libstdc++.so.6", entry.Library);
        Assert.False(entry.IsWeak);
        Assert.Equal("libc.so.6", Assert.NotNull(needs.Find("GLIBC_2.34")).Library);
        Assert.Null(needs.Find("GLIBCXX_3.4.99"));
    }

    [Fact]
    public void Relaxing_sets_one_flag_and_nothing_else()
    {
        LinuxOnly();
        var image = Copy();
        Assert.True(LibTorchSharpCompatibility.Relax(image, new Version(3, 4, 32)));
        var entry = Assert.NotNull(ElfVersionNeeds.Parse(image).Find("GLIBCXX_3.4.32"));
        Assert.True(entry.IsWeak);
        var different = Enumerable.Range(0, image.Length).Where(i => image[i] != Image.Value[i]).ToList();
        Assert.Equal([entry.Offset + 4], different);
        Assert.Equal(0, Image.Value[entry.Offset + 4]);
        Assert.Equal(2, image[entry.Offset + 4]);
        Assert.False(LibTorchSharpCompatibility.Relax(image, new Version(3, 4, 32)));
    }

    [Fact]
    public void An_older_system_gets_the_older_condition_variable_too()
    {
        LinuxOnly();
        var image = Copy();
        Assert.True(LibTorchSharpCompatibility.Relax(image, new Version(3, 4, 30)));
        var needs = ElfVersionNeeds.Parse(image);
        Assert.Null(needs.Find("GLIBCXX_3.4.30"));
        Assert.Equal(2, needs.Entries.Count(entry => entry.Version == "GLIBCXX_3.4.11"));
        Assert.True(Assert.NotNull(needs.Find("GLIBCXX_3.4.32")).IsWeak);
    }

    [Theory]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by x.so)", "3.4.32")]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by x.so)", "3.4.30")]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by x.so)", null)]
    [InlineData("/lib/libc.so.6: version `GLIBC_2.34' not found (required by x.so)", null)]
    [InlineData("version `GLIBCXX_3.4.32", null)]
    [InlineData("version `GLIBCXX_", null)]
    [InlineData("", null)]
    public void The_loaders_message_says_which_version_is_missing(string error, string? version) =>
        Assert.Equal(version, LibTorchSharpCompatibility.MissingVersion(error)?.ToString());

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(200)]
    [InlineData(100_000)]
    public void A_truncated_file_is_rejected(int length)
    {
        LinuxOnly();
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Parse(Copy()[..length]));
    }

    [Theory]
    [InlineData(10, "invalid ELF header")]
    [InlineData(100, "file too short for its program headers")]
    [InlineData(1_000_000, "file too short (1000000 bytes of at least")]
    public void A_truncated_library_never_reaches_the_loader(int length, string problem)
    {
        LinuxOnly();
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Copy()[..length]);
            Assert.StartsWith(problem, ElfFile.Problem(path));
            File.WriteAllBytes(path, Copy());
            Assert.Null(ElfFile.Problem(path));
            using (var file = File.OpenWrite(path))
            {
                file.Position = 18;
                file.Write([243, 0]);
            }

            Assert.StartsWith("incompatible architecture (ELF machine 243", ElfFile.Problem(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Other_files_are_rejected()
    {
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Parse(new byte[4096]));
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.Parse(File.ReadAllBytes(typeof(LibTorch).Assembly.Location)));
    }

    [Fact]
    public void Damage_is_rejected_or_harmless()
    {
        LinuxOnly();
        // The bytes that the parser reads: ELF header and program headers, dynamic section, version needs, their strings.
        var original = Image.Value;
        var first = ElfVersionNeeds.Parse(original).Entries.Min(entry => entry.Offset) - 16;
        var dynamic = Dynamic(original);
        var header = Gen.Int[0, 64 + (56 * 12)];
        var place = Gen.OneOf(header, Gen.Int[first, first + 700], Gen.Int[dynamic, dynamic + 560]);
        var image = Copy();
        var rejected = 0;
        Gen.Select(place, Gen.Byte).Array[1, 4].Sample(
            changes =>
            {
                foreach (var (at, value) in changes)
                    image[at] = value;
                try
                {
                    foreach (var entry in ElfVersionNeeds.Parse(image).Entries)
                        Assert.InRange(entry.Offset, 0, image.Length - 16);
                }
                catch (InvalidDataException)
                {
                    rejected++;
                }
                finally
                {
                    foreach (var (at, _) in changes)
                        image[at] = original[at];
                }
            },
            iter: 20_000,
            threads: 1);
        Assert.InRange(rejected, 1, 19_999);
    }

    private static int Dynamic(byte[] image)
    {
        for (var at = (int)BitConverter.ToInt64(image, 32); ; at += 56)
        {
            if (BitConverter.ToUInt32(image, at) == 2)
                return (int)BitConverter.ToInt64(image, at + 8);
        }
    }

    private static void LinuxOnly() => Assert.SkipUnless(OperatingSystem.IsLinux(), "ELF files are Linux's.");
}
