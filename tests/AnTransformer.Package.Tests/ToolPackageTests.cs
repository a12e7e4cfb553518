using System.IO.Compression;
using System.Text.Json;

namespace AnTransformer.Package.Tests;

/// <summary>The tool's packages as a gallery and a user see them.</summary>
public sealed class ToolPackageTests : IDisposable
{
    private const long LargestPackage = 250_000_000;
    private const int Steps = 20;
    private readonly Workshop _workshop = new();

    [Fact]
    public void The_tool_installs_from_a_feed_into_an_empty_folder_and_trains()
    {
        _workshop.Pack("AnTransformer.Cli", $"-p:ToolPackageRuntimeIdentifiers=\"{Workshop.Runtime};any\"");
        AssertPackages();

        _workshop.Run("dotnet", "tool", "install", "AnTransformer.Cli", "--version", "0.1.0", "--tool-path", "tools", "--configfile", "NuGet.config")
            .AssertSucceeded();
        File.WriteAllText(_workshop.In("text.txt"), string.Concat(Enumerable.Range(0, 3000).Select(i => $"line {i} says {i * 7 % 13}.\n")));
        string[] arguments =
        [
            "train", "--data.text", "text.txt", "--data.path", "data", "--training.steps", $"{Steps}",
            "--tokenizer.kind", "bytes", "--model.hidden_size", "32", "--model.num_attention_heads", "2", "--model.num_hidden_layers", "2",
            "--model.max_position_embeddings", "32", "--training.batch_size", "4", "--logging.interval", "1", "--evaluation.interval", "0",
        ];
        _workshop.Run(_workshop.In("tools", "angpt"), [.. arguments, "--training.output", "run"]).AssertSucceeded();

        var losses = File.ReadLines(_workshop.In("run", "metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.TryGetProperty("loss", out _)).Select(record => record.GetProperty("loss").GetDouble()).ToList();
        Assert.Equal(Steps, losses.Count);
        Assert.True(losses[^1] < losses[0] - 0.5, $"{losses[0]} to {losses[^1]}");
        Assert.True(File.Exists(_workshop.In("run", "checkpoints", $"step-{Steps:d8}", "model.safetensors")));
        Assert.True(new FileInfo(_workshop.In("run", "loss.png")).Length > 1000);

        // The package for other platforms: all but LibTorch is there, and it says how to name one.
        ZipFile.ExtractToDirectory(PackagePath(".any"), _workshop.In("any"));
        var without = _workshop.Run("dotnet", [_workshop.In("any", "tools", "net10.0", "any", "angpt.dll"), .. arguments, "--training.output", "other"]);
        Assert.Equal(2, without.ExitCode);
        Assert.Contains("ANTRANSFORMER_LIBTORCH", without.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", without.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _workshop.Dispose();

    private string PackagePath(string suffix) => Path.Combine(_workshop.Feed, $"AnTransformer.Cli{suffix}.0.1.0.nupkg");

    /// <summary>One package per platform and one that points at them; small enough, with LibTorch where it belongs, and nothing twice.</summary>
    private void AssertPackages()
    {
        string[] expected = [PackagePath(""), PackagePath(".any"), PackagePath("." + Workshop.Runtime)];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Directory.GetFiles(_workshop.Feed).Order(StringComparer.Ordinal));
        Assert.All(expected, path => Assert.InRange(new FileInfo(path).Length, 1, LargestPackage));
        var pointer = Entries(PackagePath(""));
        Assert.Contains("README.md", pointer);
        Assert.Contains("icon.png", pointer);
        Assert.DoesNotContain(pointer, name => name.EndsWith(".dll", StringComparison.Ordinal));
        var own = Entries(PackagePath("." + Workshop.Runtime));
        Assert.Single(own, name => Path.GetFileNameWithoutExtension(name) is "libtorch_cpu" or "torch_cpu");
        Assert.Single(own, name => Path.GetFileName(name) == "austen.txt");
        Assert.Single(own, name => Path.GetFileName(name) == "LICENSE-LIBTORCH.txt");
        Assert.Contains(own, name => name.EndsWith("/configs/quickstart.yaml", StringComparison.Ordinal));
        var any = Entries(PackagePath(".any"));
        Assert.DoesNotContain(any, name => name.Contains("torch_cpu", StringComparison.Ordinal));
        Assert.Contains(any, name => name.Contains("LibTorchSharp", StringComparison.Ordinal));
        Assert.DoesNotContain(own.Concat(any), name => name.Contains("torch_python", StringComparison.Ordinal)
            || (name.Contains("Skia", StringComparison.Ordinal) && name.EndsWith(".pdb", StringComparison.Ordinal)));
    }

    private static List<string> Entries(string package)
    {
        using var archive = ZipFile.OpenRead(package);
        return archive.Entries.Select(entry => entry.FullName).ToList();
    }
}
