using System.Buffers.Binary;
using AnTransformer.Fuzz.Mutations;
using AnTransformer.Training.Data;

namespace AnTransformer.Fuzz.Formats;

/// <summary>Token shards of both widths: a header of 256 integers, the tokens.</summary>
internal sealed class TokenShardFormat : IFormat
{
    private const int Vocabulary = 1000;
    private const int HeaderIntegers = 256;
    private const int Window = 8;

    public string Name => "shard";

    public Sample Make(Random random)
    {
        var size = random.Next(2) == 0 ? 2 : 4;
        var count = random.Next(60);
        var file = new byte[(HeaderIntegers * sizeof(int)) + (count * size)];
        Span<int> header = size == 2 ? [20240520, 1, count] : [20240801, 7, count];
        for (var change = random.FewChanges() - 1; change > 0; change--)
            header[random.Next(3)] = random.Next(3) == 0 ? count + random.Next(-1, 2) : (int)random.Pick(Interesting.Integers);
        for (var i = 0; i < header.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(i * sizeof(int)), header[i]);
        for (var i = 0; i < count; i++)
        {
            var token = random.Next(100) == 0 ? (uint)random.Pick(Interesting.Integers) : (uint)random.Next(Vocabulary);
            BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan((HeaderIntegers * sizeof(int)) + (i * size)), (ushort)token);
            if (size == 4)
                BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan((HeaderIntegers * sizeof(int)) + (i * size) + 2), (ushort)(token >> 16));
        }

        return new Sample("train_000000.bin", random.Next(2) == 0 ? ByteMutator.Change(file, random, random.FewChanges(), from: random.Next(2) * 1000) : file);
    }

    public void Read(string path)
    {
        using (var shard = TokenShard.Open(path))
        {
            var tokens = new int[shard.Length];
            shard.CopyTo(0, tokens);
            shard.Validate(Vocabulary);
        }

        using var dataset = TokenDataset.Open([path], Vocabulary);
        var sampler = WindowSampler.Sequential(dataset, Window);
        _ = sampler.WindowCount;
    }
}
