using System.CommandLine;
using AnTransformer.Architectures;
using AnTransformer.Cli.Display;
using AnTransformer.Distributed;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt scale</c>: what several processes would do for a run.</summary>
internal static class ScaleCommand
{
    private const double BitsPerGigabit = 1e9;

    public static Command Create()
    {
        var config = new Argument<string>("config")
        {
            Description = "The training configuration, a YAML file; relative to here or one of the tool's own in "
                + "configs.",
            DefaultValueFactory = _ => "configs/quickstart.yaml",
        };
        var bandwidth = SharedOptions.Number("--bandwidth", 10, "Gbit/s of a host's link.").InRange(1e-3, 1e5);
        var latency = SharedOptions.Number("--latency", 30, "Microseconds of a message between hosts.").InRange(0, 1e7);
        var perHost = SharedOptions.Int("--ranks-per-host", 1, "Processes that share a host and its link.")
            .InRange(1, 4096);
        var local = SharedOptions.Number("--local-bandwidth", 32, "Gbit/s between processes of a host.")
            .InRange(1e-3, 1e6);
        var largest = SharedOptions.Int("--hosts", 1024, "Most hosts to predict for.").InRange(1, 1 << 16);
        var weak = new Option<bool>("--weak")
        {
            Description = "Every process has the configuration's batch, so that a step grows with them; without, the "
                + "step is the configuration's and they share it.",
        };
        var seconds = SharedOptions.Number(
            "--step-seconds", 0, "Seconds of a step of one process that has it alone; 0 to measure it here.")
            .InRange(0, 1e6);
        var json = SharedOptions.Json();
        var command = new Command(
            "scale",
            "Predict tokens per second and efficiency of data-parallel training, from a step measured here, the "
                + "model's bytes and the speed of the link (an α-β model).")
        {
            config, bandwidth, latency, perHost, local, largest, weak, seconds, json,
        };
        var fields = FieldOptions.AddTo(command, typeof(TrainingConfiguration));
        command.SetAction(parsed =>
        {
            var configuration = ConfigurationBinder.Load<TrainingConfiguration>(
                BundledFiles.Find(parsed.GetRequiredValue(config)), FieldOptions.Overrides(parsed, fields));
            configuration = ResolvedConfiguration.Of(configuration);
            var plan = TrainingPlan.Create(configuration, configuration.Tokenizer.VocabSize);
            var training = configuration.Training;
            if (training.Threads > 0)
                TorchSharp.torch.set_num_threads(training.Threads);
            var given = parsed.GetValue(seconds);
            var cost = given > 0
                ? StepCost.Of(plan, training.BatchSize * training.GradientAccumulation, given)
                : StepCost.Measure(plan, training.BatchSize, TrainingPlan.CreateContext(training));
            var hosts = parsed.GetValue(perHost);
            var link = new Link(
                parsed.GetValue(bandwidth) * BitsPerGigabit / 8, parsed.GetValue(latency) * 1e-6, hosts,
                parsed.GetValue(local) * BitsPerGigabit / 8);
            var estimate = new ParallelEstimate(cost, link, training.BatchSize, training.GradientAccumulation)
            {
                GradientBytes = configuration.Distributed.GradientDtype == GradientDtype.Bf16 ? 2 : 4,
                StatePerWeight = plan.Optimizer.Rule.StateBytes(plan.Model) / (4.0 * ModelCost.Parameters(plan.Model)),
            };
            var ranks = Counts((long)parsed.GetValue(largest) * hosts, parsed.GetValue(weak) ? long.MaxValue
                : (long)training.BatchSize * training.GradientAccumulation);
            var rows = Scenarios(configuration.Distributed).Select(scenario => new ScaleTables.Row(
                scenario.Name,
                [.. ranks.Select(count => ScaleTables.Cell.Of(
                    scenario.Change(Grown(estimate, parsed.GetValue(weak), count)), plan, count))])).ToList();
            ScaleTables.Print(cost, plan, rows, parsed.GetValue(json));
            return ExitCodes.Success;
        });
        return command;
    }

    private static ParallelEstimate Grown(ParallelEstimate estimate, bool isWeak, int ranks)
        => isWeak
            ? estimate with { GradientAccumulation = checked(estimate.GradientAccumulation * ranks) }
            : estimate;

    /// <summary>Powers of two, as far as there is a sequence for each.</summary>
    private static List<int> Counts(long most, long sequences)
    {
        var counts = new List<int>();
        for (var count = 1; count <= Math.Min(most, sequences); count *= 2)
            counts.Add(count);
        return counts;
    }

    private static IEnumerable<(string Name, Func<ParallelEstimate, ParallelEstimate> Change)> Scenarios(
        DistributedSection configured)
    {
        yield return ("as configured", estimate => estimate with
        {
            Overlaps = !configured.Deterministic,
            ShardOptimizer = configured.ShardOptimizer,
            SyncEvery = configured.SyncEvery,
        });
        yield return ("sums beside", estimate => estimate);
        yield return ("sums after", estimate => estimate with { Overlaps = false });
        yield return ("bf16 gradients", estimate => estimate with { GradientBytes = 2 });
        yield return ("shard_optimizer", estimate => estimate with { ShardOptimizer = true });
        yield return ("ring", estimate => estimate with { Reduction = Reduction.Ring });
        yield return ("tree", estimate => estimate with { Reduction = Reduction.Tree });
        foreach (var steps in (int[])[8, 32, 128])
            yield return ($"sync_every {steps}", estimate => estimate with { SyncEvery = steps });
    }
}
