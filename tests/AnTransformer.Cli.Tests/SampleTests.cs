using System.Diagnostics;
using System.Globalization;
using AnTransformer.Training.Data;

namespace AnTransformer.Cli.Tests;

/// <summary>The README's program: what it prints, and that the tool with the same settings trains the same model.</summary>
public sealed class SampleTests : IDisposable
{
    private const int Vocabulary = 64;
    private const int Batch = 16;
    private const int Context = 32;
    private readonly Angpt _angpt = new();

    [Fact]
    public void The_README_shows_the_sample_to_the_letter()
    {
        var readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "sample", "README.md"));
        var start = readme.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        var block = readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "sample", "Program.cs")), block);
    }

    [Fact]
    public void The_sample_learns_and_follows_the_tools_losses()
    {
        var output = RunSample("TrainFromCode");
        Assert.Equal("1, 4, 9, 16, 25, 36, 49, 3, 20", output.TrimEnd().Split('\n')[^1]);
        var printed = output.Split('\n').Where(line => line.StartsWith("step ", StringComparison.Ordinal))
            .Select(line => line["step ".Length..].Split(": loss "))
            .ToDictionary(parts => long.Parse(parts[0], CultureInfo.InvariantCulture), parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
        Assert.Equal([0, 10, 20, 30, 40, 50, 59], printed.Keys);

        WriteShards();
        File.WriteAllText(
            _angpt.In("squares.yaml"),
            """
            model: { hidden_size: 64, num_attention_heads: 4, num_hidden_layers: 2, max_position_embeddings: 32 }
            data: { path: squares }
            optimizer: { learning_rate: 3e-3 }
            training: { steps: 60, batch_size: 16, seed: 1, output: run }
            logging: { interval: 1, plot: false }
            """);
        _angpt.Run("train", "squares.yaml").AssertSucceeded();
        var losses = _angpt.Losses();
        // The tool counts from 1 and shuffles the sixteen rows, so that sums round otherwise (2e-6 and less where this was written).
        Assert.All(printed, pair => Assert.Equal(losses[pair.Key + 1], pair.Value, 2e-5));
    }

    /// <summary>In a seventh of its steps: far above one in ten, and above what a linear classifier makes of the same images.</summary>
    [Fact]
    public void The_image_classifier_learns_more_than_a_linear_one()
    {
        var lines = RunSample("ImageClassifier", "100").TrimEnd().Split('\n');
        double[] losses = [.. lines.Where(line => line.StartsWith("step ", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(": loss ")[1], CultureInfo.InvariantCulture))];
        Assert.Equal(3, losses.Length);
        Assert.True(losses[^1] < 0.8 * losses[0], string.Join(", ", losses));
        double[] right = [.. lines[^2..].Select(line => double.Parse(line.Split(": ")[1].Split(' ')[0].TrimEnd('%'), CultureInfo.InvariantCulture))];
        Assert.InRange(right[0], 25, 100);
        Assert.True(right[0] > right[1] + 5, string.Join(", ", right));
    }

    public void Dispose() => _angpt.Dispose();

    private static string RunSample(string sample, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { UseShellExecute = false, RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, $"{sample}.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["OMP_WAIT_POLICY"] = "passive";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    /// <summary>The sample's numbers as token shards: the whole of them is one batch, and the same again to evaluate on.</summary>
    private void WriteShards()
    {
        Directory.CreateDirectory(_angpt.In("squares"));
        foreach (var name in new[] { "train-00000.bin", "val-00000.bin" })
        {
            using var shard = new TokenShardWriter(_angpt.In("squares", name), Vocabulary);
            shard.Write(Enumerable.Range(0, (Batch * Context) + 1).Select(i => i * i % 61).ToArray());
            shard.Complete();
        }

        var count = (Batch * Context) + 1;
        File.WriteAllText(
            _angpt.In("squares", DatasetInfo.FileName),
            $$"""
            {
              "format_version": 1, "vocabulary_size": {{Vocabulary}}, "bytes_per_token": 2, "end_of_text_id": null, "tokenizer_fingerprint": null,
              "train_tokens": {{count}}, "validation_tokens": {{count}}, "train_documents": 1, "validation_documents": 1,
              "train_bytes": {{count}}, "validation_bytes": {{count}}, "invalid_utf8_documents": 0, "invalid_utf8_bytes": 0,
              "options": {
                "text_field": "text", "text_column": "text", "section_bytes": 0, "separator": null, "validation_fraction": 0.5, "seed": 1,
                "max_tokens_per_shard": 1000
              },
              "sources": []
            }
            """);
    }
}
