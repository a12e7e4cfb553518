using System.CommandLine;
using AnTransformer.Architectures;
using AnTransformer.Cli.Benchmarking;
using AnTransformer.Cli.Display;
using AnTransformer.Kernels;
using AnTransformer.Operators;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Devices;
using TorchSharp;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt bench</c>: times training steps of architectures against each other and against eager TorchSharp.
/// </summary>
internal static class BenchCommand
{
    private const int WarmupRounds = 2;
    private static readonly string[] DefaultArchitectures = ["gpt+", "ngpt", "angpt"];

    public static Command Create()
    {
        var architectures = new Argument<string[]>("architectures")
        {
            Description = $"Which of {string.Join(", ", ArchitectureRegistry.Names)} to time; settings of one's own "
                + "may follow a name, in quotes: \"angpt optimizer.spectral_clip=0\".",
            DefaultValueFactory = _ => DefaultArchitectures,
            Arity = ArgumentArity.ZeroOrMore,
        };
        var hidden = SharedOptions.Int("--hidden-size", 256, "Width of the model.").InRange(2, 1 << 20);
        var layers = SharedOptions.Int("--layers", 6, "Number of blocks.").InRange(1, 4096);
        var heads = SharedOptions.Int("--heads", 4, "Number of attention heads.").InRange(1, 4096);
        var keyValueHeads = SharedOptions
            .Int(
                "--num-key-value-heads", 0,
                "Heads of keys and values, shared by equally many attention heads; 0 for as many.")
            .InRange(0, 4096);
        var headSize = SharedOptions.Int("--head-dim", 0, "Width of a head; 0 for the model's by its heads.")
            .InRange(0, 1 << 20);
        var window = SharedOptions
            .Int("--sliding-window", 0, "Tokens that a token sees, itself included; 0 for all before it.")
            .InRange(0, 1 << 24);
        var tied = new Option<bool>("--tie-word-embeddings") { Description = "The head is the embedding matrix." };
        var context = SharedOptions.Int("--context", 256, "Tokens per sequence.").InRange(1, 1 << 24);
        var batch = SharedOptions.Int("--batch-size", 16, "Sequences per step.").InRange(1, 1 << 20);
        var vocabulary = SharedOptions.Int("--vocab-size", 4096, "Number of token ids.").InRange(2, 1 << 24);
        var intermediate = SharedOptions.Int(
            "--intermediate-size", 0, "Width of the MLP; 0 for four times the model's.").InRange(0, 1 << 22);
        var rounds = SharedOptions.Int("--rounds", 7, "Timed rounds, each with one step of every contestant.")
            .InRange(1, 1_000_000);
        var device = SharedOptions.Device();
        var dtype = SharedOptions.ComputeDtype();
        var threads = SharedOptions.Int("--threads", 0, "CPU threads to compute with; 0 for all.").InRange(0, 4096);
        var seed = SharedOptions.Int("--seed", 1, "Seed of weights and tokens.");
        var eager = new Option<bool>("--eager")
        {
            Description = "Also time each architecture's eager TorchSharp twin (the default).",
            DefaultValueFactory = _ => true,
        };
        var noEager = new Option<bool>("--no-eager")
        {
            Description = "Leave the eager twins and the comparison with them out.",
        };
        var noMemory = new Option<bool>("--no-memory")
        {
            Description = "Do not measure peak memory, which takes a process per contestant.",
        };
        var memory = new Option<string?>(MemoryProbe.Option) { Hidden = true };
        var json = SharedOptions.Json();
        var command = new Command(
            "bench",
            "Time training steps of architectures against each other and against the same models in eager TorchSharp, "
                + "interleaved.\n"
            + "First checks that ours and eager compute the same; exit code 1 if they do not. Timings need an "
            + "otherwise idle machine.")
        {
            architectures, rounds, hidden, layers, heads, keyValueHeads, headSize, window, tied, context, batch,
            vocabulary,
            intermediate,
            device, dtype, threads, seed, eager, noEager, noMemory, memory, json,
        };
        command.Subcommands.Add(BenchGenerateCommand.Create());
        command.SetAction(parsed =>
        {
            var settings = new BenchSettings(
                BenchSettings.ParseArchitectures(parsed.GetRequiredValue(architectures)),
                parsed.GetValue(eager) && !parsed.GetValue(noEager),
                parsed.GetValue(hidden),
                parsed.GetValue(layers),
                parsed.GetValue(heads),
                OrNull(parsed.GetValue(keyValueHeads)),
                OrNull(parsed.GetValue(headSize)),
                OrNull(parsed.GetValue(window)),
                parsed.GetValue(tied),
                parsed.GetValue(context),
                parsed.GetValue(batch),
                parsed.GetValue(vocabulary),
                OrNull(parsed.GetValue(intermediate)),
                parsed.GetRequiredValue(device),
                parsed.GetRequiredValue(dtype),
                parsed.GetValue(threads),
                parsed.GetValue(seed));
            if (parsed.GetValue(memory) is { } name)
            {
                MemoryProbe.Run(name, settings, Prepare(settings));
                return ExitCodes.Success;
            }

            return Run(
                settings, parsed.GetValue(rounds), measureMemory: !parsed.GetValue(noMemory), parsed.GetValue(json));
        });
        return command;
    }

    /// <summary>0 says that the model's own rule decides.</summary>
    private static int? OrNull(int number) => number > 0 ? number : null;

    private static ModelContext Prepare(BenchSettings settings)
    {
        settings.Validate();
        var context = ComputeDevice.Context(settings.Device, settings.ComputeDtype);
        if (settings.Threads > 0)
            torch.set_num_threads(settings.Threads);
        return context;
    }

    private static int Run(BenchSettings settings, int rounds, bool measureMemory, bool json)
    {
        using var stop = new StopSignal(StopWords.Bench);
        var context = Prepare(settings);
        var tables = json ? null : new BenchTables();
        var batches = new RandomBatches(settings.BatchSize, settings.Context, settings.VocabSize, settings.Seed);
        IReadOnlyList<EqualityCheck> checks;
        StepBenchmarkResult? result = null;
        using (var contestants = new Contestants(settings, context))
        {
            checks = EqualityCheck.Run(contestants, batches, context);
            tables?.Print(checks);
            if (checks.All(check => check.Passed))
            {
                result = new StepBenchmark(contestants.All(), batches, context).Run(
                    WarmupRounds, rounds, done => Console.Error.WriteLine(
                        $"round {done} of {WarmupRounds + rounds}"), stop.Token);
            }
        }

        var report = result is null
            ? null
            : BenchReport.Create(settings, result, measureMemory ? Memory(settings, result, stop.Token) : []);
        if (json)
            BenchJson.Print(settings, rounds, checks, report);
        else if (report is not null)
            tables!.Print(report);
        if (report is not null)
            return ExitCodes.Success;
        var different = string.Join(", ", checks.Where(check => !check.Passed).Select(check => check.Architecture));
        ErrorLines.Write($"ours and eager compute different losses or gradients for {different}; nothing was timed.");
        return ExitCodes.InternalError;
    }

    private static Dictionary<string, PeakMemoryResult?> Memory(
        BenchSettings settings, StepBenchmarkResult result, CancellationToken stop)
    {
        var memory = new Dictionary<string, PeakMemoryResult?>(StringComparer.Ordinal);
        if (!settings.OnCpu)
        {
            Console.Error.WriteLine(
                "peak memory is that of the host and says nothing about a GPU; it is not measured.");
            return memory;
        }

        FusedKernels.ReleaseMemory();       // the processes below need it
        foreach (var timings in result.Timings)
        {
            stop.ThrowIfCancellationRequested();
            Console.Error.WriteLine($"measuring the memory of {timings.Contestant.Name}");
            memory[timings.Contestant.Name] = MemoryProbe.Measure(timings.Contestant.Name, settings);
        }

        return memory;
    }
}
