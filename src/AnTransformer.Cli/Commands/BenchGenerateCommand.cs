using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Benchmarking.Generation;
using AnTransformer.Cli.Display;
using AnTransformer.Inference;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Devices;

namespace AnTransformer.Cli.Commands;

/// <summary>
/// <c>angpt bench generate</c>: times reading and decoding of checkpoints or of random models of some size.
/// </summary>
internal static class BenchGenerateCommand
{
    private static readonly string[] DefaultNames = ["gpt", "angpt"];
    private static readonly int[] DefaultBatches = [1, 2, 4, 8];

    public static Command Create()
    {
        var names = new Argument<string[]>("models")
        {
            Description = $"Checkpoint or run directories, or which of {string.Join(", ", ArchitectureRegistry.Names)} "
                + "to make at random.",
            DefaultValueFactory = _ => DefaultNames,
            Arity = ArgumentArity.ZeroOrMore,
        };
        var hidden = SharedOptions.Int("--hidden-size", 512, "Width of random models.").InRange(2, 1 << 20);
        var layers = SharedOptions.Int("--layers", 8, "Number of blocks of random models.").InRange(1, 4096);
        var heads = SharedOptions.Int("--heads", 8, "Number of attention heads of random models.").InRange(1, 4096);
        var context = SharedOptions.Int("--context", 1024, "Context of random models.").InRange(1, 1 << 24);
        var vocabulary = SharedOptions.Int("--vocab-size", 8192, "Number of token ids of random models.")
            .InRange(2, 1 << 24);
        var dtypes = new Option<string[]>("--dtype")
        {
            Description = "f32, bf16 or q8_0; several are compared.",
            DefaultValueFactory = _ => ["f32"],
            AllowMultipleArgumentsPerToken = true,
        };
        var batches = new Option<int[]>("--batch")
        {
            Description = "Numbers of sequences that are decoded together.",
            DefaultValueFactory = _ => DefaultBatches,
            AllowMultipleArgumentsPerToken = true,
        };
        var prefill = SharedOptions.Int("--prefill-tokens", 512, "Length of the text that is read at once.")
            .InRange(1, 1 << 24);
        var prompt = SharedOptions.Int("--prompt-tokens", 64, "Length of the text before what is decoded.")
            .InRange(1, 1 << 24);
        var tokens = SharedOptions.Int("--max-tokens", 64, "Tokens that are decoded of each sequence.")
            .InRange(1, 1 << 24);
        var rounds = SharedOptions.Int("--rounds", 5, "Timed rounds, each with every contestant.")
            .InRange(1, 1_000_000);
        var threads = SharedOptions.Int("--threads", 0, "CPU threads to compute with; 0 for all.").InRange(0, 1024);
        var seed = SharedOptions.Int("--seed", 1, "Seed of weights and tokens.");
        var noMmap = new Option<bool>("--no-mmap") { Description = LoadingOptions.NoMmapDescription };
        var noProcess = new Option<bool>("--no-process") { Description = "Do not time new processes." };
        var json = SharedOptions.Json();
        var command = new Command(
            "generate",
            "Time reading a text and decoding with own kernels on the CPU: tokens per second, bytes read per token "
                + "against the memory's "
            + "bandwidth.\nFirst checks that LibTorch computes the same; exit code 1 if not. Timings need an otherwise "
            + "idle machine.")
        {
            names, dtypes, batches, rounds, prefill, prompt, tokens, hidden, layers, heads, context, vocabulary,
            threads, noMmap, seed, noProcess,
            json,
        };
        command.SetAction(parsed =>
        {
            var settings = new GenerationBenchSettings(
                [.. parsed.GetRequiredValue(dtypes).Select(LoadingOptions.ParseDtype).Distinct()],
                Batches(parsed.GetRequiredValue(batches)),
                parsed.GetValue(prefill), parsed.GetValue(prompt), parsed.GetValue(tokens), parsed.GetValue(rounds),
                parsed.GetValue(threads), !parsed.GetValue(noMmap), parsed.GetValue(seed));
            var folder = Directory.CreateTempSubdirectory("angpt-bench-");
            try
            {
                return Run(
                    settings,
                    [.. parsed.GetRequiredValue(names).Distinct(StringComparer.Ordinal)
                        .Select(name => (name, Directory.Exists(name)
                        ? CheckpointPath.Resolve(name)
                        : RandomCheckpoint(
                            name, folder.FullName, parsed.GetValue(vocabulary), parsed.GetValue(hidden),
                            parsed.GetValue(heads),
                            parsed.GetValue(layers), parsed.GetValue(context), settings.Seed)))],
                    timesProcesses: !parsed.GetValue(noProcess), parsed.GetValue(json));
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    private static int[] Batches(int[] batches)
        => batches.FirstOrDefault(batch => batch is < 1 or > 512, 1) is var bad and not 1
            ? throw new InvalidInputException($"--batch must lie between 1 and 512, not {bad}.")
            : [.. batches.Distinct().Order()];

    private static string RandomCheckpoint(
        string architecture, string folder, int vocabulary, int hidden, int heads, int layers, int context, int seed)
    {
        var definition = ArchitectureRegistry.Get(architecture, "bench generate: model");
        var config = ArchitectureRegistry.CreateConfig(definition.Name, vocabulary, hidden, heads, layers, context);
        config.Validate("bench generate");
        using var model = LanguageModel.Create(config, ComputeDevice.Context("cpu", "fp32"));
        model.Initialize(seed);
        var directory = Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N"))).FullName;
        ModelCheckpoint.Save(model, directory);
        return directory;
    }

    private static int Run(
        GenerationBenchSettings settings, List<(string Name, string Directory)> models, bool timesProcesses, bool json)
    {
        using var stop = new StopSignal(StopWords.Bench);
        var contestants = new List<GenerationContestant>();
        try
        {
            foreach (var (name, directory) in models)
            {
                foreach (var dtype in settings.Dtypes)
                    contestants.Add(Load(name, directory, dtype, settings));
            }

            var checks = contestants.Select(contestant => GenerationEquality.Check(contestant, settings.Seed)).ToList();
            if (checks.Find(check => !check.Passed) is { } different)
            {
                ErrorLines.Write(
                    $"own kernels and LibTorch compute different logits for {different.Name} "
                    + $"({different.Difference:0.0e+0} of the largest); nothing was timed.");
                return ExitCodes.InternalError;
            }

            var bandwidths = Time(contestants, settings, timesProcesses, stop.Token);
            var lines = contestants.Select(contestant => GenerationBenchLine.Of(contestant, bandwidths)).ToList();
            if (json)
            {
                JsonOutput.Print(new
                {
                    settings,
                    threads = contestants[0].Model.Threads,
                    readBytesPerSecond = Spread.Of(bandwidths),
                    equality = checks,
                    contestants = lines,
                });
            }
            else
            {
                GenerationTables.Print(settings, checks, lines, Spread.Of(bandwidths));
            }

            return ExitCodes.Success;
        }
        finally
        {
            contestants.ForEach(contestant => contestant.Dispose());
        }
    }

    private static GenerationContestant Load(
        string name, string directory, WeightDtype dtype, GenerationBenchSettings settings)
    {
        var contestant = new GenerationContestant(name, directory, dtype, settings);
        var longest = Math.Max(settings.PrefillTokens, settings.PromptTokens + settings.Tokens);
        if (longest <= contestant.Model.Config.MaxPositionEmbeddings)
            return contestant;
        var held = contestant.Model.Config.MaxPositionEmbeddings;
        contestant.Dispose();
        throw new InvalidInputException(
            $"bench generate: {longest} tokens exceed the context of {held} of {Printable.Excerpt(name)}; give fewer "
                + "--prefill-tokens, "
            + "--prompt-tokens or --max-tokens.");
    }

    private static List<double> Time(
        List<GenerationContestant> contestants, GenerationBenchSettings settings, bool timesProcesses,
        CancellationToken stop)
    {
        using var bandwidth = new ReadBandwidth(settings.Threads);
        var bandwidths = new List<double>();
        bandwidth.Measure();
        for (var round = 0; round <= settings.Rounds; round++)
        {
            var isTimed = round > 0;
            foreach (var contestant in contestants)
            {
                stop.ThrowIfCancellationRequested();
                contestant.RunRound(settings, isTimed);
                if (isTimed && timesProcesses)
                    contestant.ProcessSeconds.Add(ProcessSeconds(contestant, settings));
            }

            // The best of a few: whatever else ran only takes away.
            if (isTimed)
                bandwidths.Add(Enumerable.Range(0, 3).Max(_ => bandwidth.Measure()));
            Console.Error.WriteLine($"round {round} of {settings.Rounds}");
        }

        return bandwidths;
    }

    private static double ProcessSeconds(GenerationContestant contestant, GenerationBenchSettings settings)
    {
        var start = ThisProgram.StartInfo(
        [
            "score", contestant.Directory, "--tokens", "1,0,1,0,1,0,1,0", "--dtype",
            LoadingOptions.NameOf(contestant.Dtype),
            "--threads", settings.Threads.ToString(CultureInfo.InvariantCulture),
        ]);
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == ExitCodes.Success
            ? clock.Elapsed.TotalSeconds
            : throw new InvalidOperationException($"A process that scores failed: {error.GetAwaiter().GetResult()}");
    }
}
