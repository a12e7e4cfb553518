using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AnTransformer.Operators;
using AnTransformer.Training.Benchmarking;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>
/// Peak memory of one contestant's training steps, and of the process before the contestant was built.
/// </summary>
internal sealed record PeakMemoryResult(long PeakBytes, long BaseBytes);

/// <summary>
/// Measures peak memory in a process for each contestant: a process's peak never falls, and allocators keep what they
/// were given.
/// </summary>
internal static class MemoryProbe
{
    public const string Option = "--measure-memory";
    private const int Steps = 3;

    /// <summary>
    /// Starts this program again for one contestant. Null, with a warning on standard error, where that fails.
    /// </summary>
    public static PeakMemoryResult? Measure(string name, BenchSettings settings)
    {
        var start = ThisProgram.StartInfo(Arguments(name, settings));
        using var process = Start(start, name);
        if (process is null)
            return null;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        try
        {
            if (process.ExitCode == ExitCodes.Success
                && JsonSerializer.Deserialize<PeakMemoryResult>(output, JsonOutput.Compact) is { } result)
                return result;
        }
        catch (JsonException)
        {
            // Reported below, with what the process said.
        }

        var reason = error.GetAwaiter().GetResult().TrimEnd().Split('\n')[^1];
        ErrorLines.Warn($"the peak memory of {name} could not be measured (exit code {process.ExitCode}): {reason}");
        return null;
    }

    private static Process? Start(ProcessStartInfo start, string name)
    {
        try
        {
            return Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            ErrorLines.Warn($"the peak memory of {name} could not be measured: {e.Message}");
            return null;
        }
    }

    /// <summary>The other end: a few steps in this process, and one line of JSON.</summary>
    public static void Run(string name, BenchSettings settings, ModelContext context)
    {
        zeros(1).Dispose();     // LibTorch's own memory is not the contestant's
        var before = PeakMemory.Bytes();
        using var step = Contestants.Create(name, settings, context);
        var batches = new RandomBatches(settings.BatchSize, settings.Context, settings.VocabSize, settings.Seed);
        for (var i = 0; i < Steps; i++)
        {
            using var scope = NewDisposeScope();
            var (inputs, targets) = batches.Next();
            long[] shape = [settings.BatchSize, settings.Context];
            step.ForwardBackward(
                tensor(inputs, device: context.Device).view(shape),
                tensor(targets, device: context.Device).view(shape));
            step.Update(learningRate: 1e-4);
        }

        JsonOutput.Print(new PeakMemoryResult(PeakMemory.Bytes(), before));
    }

    private static List<string> Arguments(string name, BenchSettings settings)
    {
        List<string> arguments =
        [
            "bench", .. settings.Architectures, Option, name, "--eager", settings.Eager ? "true" : "false",
            "--hidden-size", Text(settings.HiddenSize), "--layers", Text(settings.Layers), "--heads",
            Text(settings.Heads),
            "--context", Text(settings.Context), "--batch-size", Text(settings.BatchSize), "--vocab-size",
            Text(settings.VocabSize),
            "--device", settings.Device, "--compute-dtype", settings.ComputeDtype,
            "--threads", Text(settings.Threads), "--seed", Text(settings.Seed),
        ];
        foreach (var (option, value) in new[]
        {
            ("--intermediate-size", settings.IntermediateSize), ("--num-key-value-heads", settings.KeyValueHeads),
            ("--head-dim", settings.HeadSize), ("--sliding-window", settings.SlidingWindow),
        })
        {
            if (value is { } number)
                arguments.AddRange([option, Text(number)]);
        }

        if (settings.TieWordEmbeddings)
            arguments.Add("--tie-word-embeddings");
        return arguments;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
