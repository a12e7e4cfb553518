using System.Buffers.Binary;
using AnTransformer.Training.Data;
using CsCheck;

namespace AnTransformer.Training.Tests.Data;

public sealed class TokenShardTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(65_536, 2)]
    [InlineData(65_537, 4)]
    [InlineData(int.MaxValue, 4)]
    public void WhatIsWrittenIsRead(int vocabularySize, int bytesPerToken)
    {
        Gen.Select(Gen.Int[0, vocabularySize - 1].Array[1, 300], Gen.Int[1, 50]).Sample((tokens, pieceLength) =>
        {
            var path = _directory.At($"{Guid.NewGuid()}.bin");
            using (var writer = new TokenShardWriter(path, vocabularySize))
            {
                foreach (var piece in tokens.Chunk(pieceLength))
                    writer.Write(piece);
                writer.Complete();
            }
            Assert.False(File.Exists(path + ".tmp"));
            Assert.Equal(1024 + (tokens.Length * bytesPerToken), new FileInfo(path).Length);
            using var shard = TokenShard.Open(path);
            shard.Validate(vocabularySize);
            Assert.Equal((tokens.Length, bytesPerToken), (shard.Length, shard.BytesPerToken));
            var start = tokens.Length / 3;
            var narrow = new int[tokens.Length - start];
            var wide = new long[tokens.Length - start];
            shard.CopyTo(start, narrow);
            shard.CopyTo(start, wide);
            Assert.Equal(tokens[start..], narrow);
            Assert.Equal(tokens[start..].Select(token => (long)token), wide);
        }, iter: 50, threads: 1);
    }

    [Fact]
    public void ShardsLargerThanTheBufferAreExact()
    {
        var tokens = Enumerable.Range(0, 700_001).Select(i => (i * 31) % 1000).ToArray();
        using var shard = TokenShard.Open(_directory.WriteShard("a.bin", tokens));
        var read = new int[tokens.Length];
        shard.CopyTo(0, read);
        Assert.Equal(tokens, read);
    }

    [Fact]
    public void BytesAreThoseOfTheFormat()
    {
        var bytes = File.ReadAllBytes(_directory.WriteShard("a.bin", [1, 258, 65_535], 65_536));
        var expected = new byte[1030];
        BinaryPrimitives.WriteInt32LittleEndian(expected, 20240520);
        expected[4] = 1;
        expected[8] = 3;
        new byte[] { 1, 0, 2, 1, 255, 255 }.CopyTo(expected, 1024);
        Assert.Equal(expected, bytes);

        var wide = File.ReadAllBytes(_directory.WriteShard("b.bin", [0x01020304], int.MaxValue));
        Assert.Equal((20240801, 7, 1),
            (BitConverter.ToInt32(wide, 0), BitConverter.ToInt32(wide, 4), BitConverter.ToInt32(wide, 8)));
        Assert.Equal(new byte[] { 4, 3, 2, 1 }, wide[1024..]);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("empty", "has 0 bytes")]
    [InlineData("short", "has 1000 bytes", "1024")]
    [InlineData("magic", "20240521", "20240520", "20240801")]
    [InlineData("version", "version 2", "expected 1")]
    [InlineData("count", "0 tokens")]
    [InlineData("negative", "-1 tokens")]
    [InlineData("truncated", "truncated", "expected 1034 bytes", "has 1033", "prepare it again")]
    [InlineData("long", "too long", "expected 1034 bytes", "has 1035")]
    public void UnusableFilesAreRefusedWithTheReason(string kind, params string[] parts)
    {
        var path = _directory.At(kind + ".bin");
        if (kind != "missing")
        {
            var bytes = File.ReadAllBytes(_directory.WriteShard("good.bin", [1, 2, 3, 4, 5]));
            switch (kind)
            {
                case "empty": bytes = []; break;
                case "short": bytes = bytes[..1000]; break;
                case "magic": bytes[0]++; break;
                case "version": bytes[4]++; break;
                case "count": bytes[8] = 0; break;
                case "negative": bytes.AsSpan(8, 4).Fill(255); break;
                case "truncated": bytes = bytes[..^1]; break;
                case "long": bytes = [.. bytes, 0]; break;
                default: throw new ArgumentException(kind, nameof(kind));
            }
            File.WriteAllBytes(path, bytes);
        }
        var message = Assert.Throws<InvalidInputException>(() => TokenShard.Open(path)).Message;
        Assert.All([path, .. parts], part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(70_000)]
    public void IdsOutsideTheVocabularyAreFoundWhereverTheyAre(int vocabularySize)
    {
        foreach (var place in new[] { 0, 1, 31, 32, 63, 64, 500, 997, 998, 999 })
        {
            var tokens = new int[1000];
            tokens[place] = 77;
            using var shard = TokenShard.Open(_directory.WriteShard("a.bin", tokens, vocabularySize));
            shard.Validate(78);
            var message = Assert.Throws<InvalidInputException>(() => shard.Validate(77)).Message;
            Assert.Contains($"token id 77 at token offset {place},", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ReadingOutsideTheShardThrows()
    {
        using var shard = TokenShard.Open(_directory.WriteShard("a.bin", [1, 2, 3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.CopyTo(2, new long[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.CopyTo(-1, new int[1]));
        shard.CopyTo(3, Span<int>.Empty);
        shard.Dispose();
        Assert.Throws<ObjectDisposedException>(() => shard.CopyTo(0, new int[1]));
    }

    [Fact]
    public void AnIncompleteShardLeavesNothingAndTheOldOneIntact()
    {
        var path = _directory.WriteShard("a.bin", [1, 2, 3]);
        var before = File.ReadAllBytes(path);
        using (var writer = new TokenShardWriter(path, 1000))
        {
            writer.Write([5]);
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write([1, 1000]));
            Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write([-1]));
            Assert.Equal(1, writer.Length);
        }
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_directory.Root));
    }

    [Fact]
    public void OpenShardsHoldNoDescriptors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Descriptors are listed in Linux's /proc.");
        using var shard = TokenShard.Open(_directory.WriteShard("a.bin", [1, 2, 3]));
        Assert.DoesNotContain(shard.Path, Directory.GetFiles("/proc/self/fd").Select(descriptor => new FileInfo(descriptor).LinkTarget));
        var tokens = new int[3];
        shard.CopyTo(0, tokens);
        Assert.Equal([1, 2, 3], tokens);
    }
}
