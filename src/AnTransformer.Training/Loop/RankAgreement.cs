using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using AnTransformer.Distributed;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Devices;

namespace AnTransformer.Training.Loop;

/// <summary>What all processes of a job must have in common, compared before the first step.</summary>
internal static class RankAgreement
{
    /// <summary>
    /// Has all processes compute matrix products as rank 0 does, where that was measured: hosts of one kind may have
    /// measured differently.
    /// </summary>
    /// <param name="group">The processes.</param>
    public static void ShareProducts(ProcessGroup group)
    {
        if (group.Size == 1)
            return;
        var first = BitConverter.ToInt32(group.FromFirst(BitConverter.GetBytes(Gemm.Choice.OwnClasses)));
        if (Gemm.IsMeasured)
            Gemm.Choice = new ProductChoice(first);
    }

    /// <summary>Compares.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="configuration">This one's configuration, resolved.</param>
    /// <param name="data">This one's tokens.</param>
    /// <param name="environment">What this one computes with.</param>
    /// <exception cref="InvalidInputException">One has something else than rank 0, on every rank.</exception>
    public static void Require(
        ProcessGroup group, TrainingConfiguration configuration, TrainingData data, ComputeEnvironment environment)
    {
        if (group.Size == 1)
            return;
        var mine = new Rank(
            Environment.MachineName, Settings(configuration), data.Train.TokenCount, data.Validation.TokenCount,
            data.VocabularySize, Digest(data, configuration.Model.MaxPositionEmbeddings),
            environment with { Threads = 0 });
        var ranks = group.Gather(JsonSerializer.SerializeToUtf8Bytes(mine))
            .Select(bytes => JsonSerializer.Deserialize<Rank>(bytes)!).ToList();
        for (var rank = 1; rank < ranks.Count; rank++)
        {
            if (Difference(ranks[0], ranks[rank]) is { } difference)
            {
                throw new InvalidInputException(
                    $"rank {rank} on {Printable.Excerpt(ranks[rank].Host)} does not train what rank 0 on "
                        + $"{Printable.Excerpt(ranks[0].Host)} does: {difference}; start all processes with the same "
                    + "program, configuration and data.");
            }
        }
    }

    private static string? Difference(Rank first, Rank other)
    {
        if (first.Environment.DifferenceOfBits(other.Environment) is { } environment)
            return environment;
        foreach (var (key, value) in first.Settings)
        {
            if (other.Settings.GetValueOrDefault(key, "") is var changed && changed != value)
                return $"{key} {Printable.Change(value, changed)}";
        }

        return (first.Train, first.Validation, first.Vocabulary, first.Data)
            == (other.Train, other.Validation, other.Vocabulary, other.Data)
            ? null
            : $"data of {first.Train} + {first.Validation} tokens of {first.Vocabulary} kinds → {other.Train} + "
                + $"{other.Validation} of {other.Vocabulary}, or with other content";
    }

    /// <summary>What decides what is learned, and how processes talk.</summary>
    private static Dictionary<string, string> Settings(TrainingConfiguration configuration)
        => ConfigurationBinder.Fields(typeof(TrainingConfiguration))
            .Where(field => !field.MayChangeOnResume
                || field.Key.StartsWith("distributed.", StringComparison.Ordinal))
            .ToDictionary(
                field => field.Key, field => ConfigurationBinder.Text(field.Get(configuration)),
                StringComparer.Ordinal);

    /// <summary>A digest of windows all over the data; reading all of it would take longer than some runs.</summary>
    private static string Digest(TrainingData data, int length)
    {
        const int Windows = 64;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (inputs, targets) = (new long[length], new long[length]);
        foreach (var dataset in new[] { data.Train, data.Validation })
        {
            var sampler = WindowSampler.Sequential(dataset, length);
            for (var i = 0; i < Windows; i++)
            {
                sampler.GetBatch(sampler.WindowCount * i / Windows, 1, inputs, targets);
                hash.AppendData(MemoryMarshal.AsBytes(inputs.AsSpan()));
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private sealed record Rank(
        string Host, Dictionary<string, string> Settings, long Train, long Validation, int Vocabulary, string Data,
        ComputeEnvironment Environment);
}
