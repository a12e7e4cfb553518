using AnTransformer.Architectures;
using AnTransformer.Distributed;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Distributed;

/// <summary>Steps that several ranks take together against those of one.</summary>
public sealed class SharedStepTests
{
    private const int Length = 9;
    private const int Sequences = 8;

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var architecture in ArchitectureRegistry.Names)
            {
                foreach (var rule in UpdateRuleRegistry.Names)
                    cases.Add(architecture, rule);
            }

            return cases;
        }
    }

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ranks_together_train_what_one_does(string architecture, string rule)
    {
        // All rules take part in all architectures; fifty steps in the rule that most models are trained with.
        var steps = rule == "adam" ? 50 : 15;
        var (expected, weights) = Train(architecture, rule, size: 1, steps);
        foreach (var size in new[] { 2, 4 })
        {
            var (losses, found) = Train(architecture, rule, size, steps);
            for (var step = 0; step < steps; step++)
                Assert.Equal(expected[step], losses[step], 1e-5 * expected[step]);
            var largest = weights.Max(Math.Abs);
            Assert.All(weights.Zip(found), pair => Assert.Equal(pair.First, pair.Second, 2e-3 * largest));
        }
    }

    /// <summary>Parts that are sent beside the backward pass must not change any more.</summary>
    [Theory]
    [MemberData(nameof(Architectures))]
    public void What_is_sent_early_is_complete(string architecture)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 43, 20, 2, 3, Length, 37);
        ThreadTransport.Run(2, group =>
        {
            using var scope = NewDisposeScope();
            using var model = LanguageModel.Create(config, ModelContext.Default);
            model.Initialize(seed: 5);
            using var optimizer = new Optimizer(model);
            using var quiet = new GradientSharing(model, new Alone(group));
            var early = new List<(long First, long End, float[] Values)>();
            quiet.Sent = (first, end) =>
            {
                using var inner = NewDisposeScope();
                early.Add((first, end, Floats(model.Store.Gradients()[(int)first..(int)end])));
            };
            var (tokens, targets) = Batch(group.Rank, Sequences / 2, 0);
            quiet.BeginMicroBatch(isLast: true);
            BackwardPass.Run(model.Loss(tokens, targets));
            quiet.EndMicroBatch();
            Assert.Equal(config.NumHiddenLayers + 1, early.Count);
            var after = Floats(model.Store.Gradients());
            Assert.All(early, part => Assert.Equal(part.Values, after[(int)part.First..(int)part.End]));
            Assert.All(early, part => Assert.Contains(part.Values, value => value != 0));
            quiet.Finish([0]);
        });
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Deterministic_sums_have_the_same_bits_with_any_power_of_two(string architecture)
    {
        var (expected, weights) = Train(architecture, "adam", size: 1, steps: 10, deterministic: true);
        foreach (var size in new[] { 2, 4 })
        {
            var (losses, found) = Train(architecture, "adam", size, steps: 10, deterministic: true);
            Assert.Equal(expected, losses);
            Assert.Equal(weights, found);
        }
    }

    /// <summary>Sums, steps and their order are those of ranks that each keep all state.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Ranks_that_share_the_optimizer_get_the_bits_of_ranks_that_do_not(string architecture, string rule)
    {
        foreach (var clip in new[] { 0.0, 1.0 })
        {
            foreach (var size in new[] { 2, 3 })
            {
                var (expected, weights) = Train(architecture, rule, size, steps: 3, clip: clip);
                var (losses, found) = Train(architecture, rule, size, steps: 3, clip: clip, sharded: true);
                Assert.Equal(expected, losses);
                Assert.Equal(weights, found);
            }
        }
    }

    [Fact]
    public void With_one_tree_sharing_the_optimizer_keeps_the_bits_of_one_rank()
    {
        var (expected, weights) = Train("angpt", "adam", size: 1, steps: 6, deterministic: true);
        var (losses, found) = Train("angpt", "adam", size: 4, steps: 6, deterministic: true, sharded: true);
        Assert.Equal(expected, losses);
        Assert.Equal(weights, found);
    }

    /// <summary>A state that some ranks gather, others go on from.</summary>
    [Theory]
    [InlineData("angpt", "adam")]
    [InlineData("ngpt", "adam")]
    [InlineData("gpt+", "muon")]
    [InlineData("sandwich", "lion")]
    public void A_shared_state_is_whole_in_a_checkpoint(string architecture, string rule)
    {
        var states = new List<Dictionary<string, float[]>>();
        var rows = new List<long>();
        foreach (var (size, sharded) in new[] { (2, false), (2, true), (3, true) })
        {
            List<KeyValuePair<string, float[]>>? given = states.Count == 0 ? null : [.. states[^1]];
            Dictionary<string, float[]> gathered = [];
            Run(architecture, rule, size, steps: states.Count == 0 ? 3 : 0, clip: 1, sharded: sharded, check: (group, optimizer) =>
            {
                using var scope = NewDisposeScope();
                if (given is not null)
                {
                    var whole = group.Rank == 0 ? optimizer.WholeState() : [];
                    foreach (var (name, values) in whole)
                        values.copy_(tensor(given.Single(item => item.Key == name).Value).view(values.shape));
                    if (sharded)
                        optimizer.ScatterState(whole);
                    else
                        return;
                }

                var state = optimizer.GatherState();
                if (sharded)
                    Assert.True(optimizer.IsSharded);
                lock (rows)
                    rows.Add(optimizer.State().Sum(item => item.Value.numel()));
                if (group.Rank == 0)
                    gathered = state.ToDictionary(item => item.Key, item => Floats(item.Value));
                else
                    Assert.Equal(sharded, state.Count == 0);
            });
            states.Add(gathered);
        }

        Assert.All(states, state => Assert.Equal(states[0].Keys.Order(), state.Keys.Order()));
        Assert.All(states, state => Assert.All(state, item => Assert.Equal(states[0][item.Key], item.Value)));
        // All ranks' rows together are one state.
        Assert.Equal(rows[0], rows[2] + rows[3]);
        Assert.Equal(rows[0], rows[4..].Sum());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(64)]        // more ranks than there is to share
    public void A_plan_gives_every_number_to_one_rank(int ranks)
    {
        ShardedShape[] shapes = [new(0, 100, 512, 64), new(51200, 512, 96, 341), new(100352, 1, 96, 1), new(100448, 40, 70, 40)];
        var plan = ShardPlan.Create(shapes, [new BufferSegment(51200, 49248)], ranks);
        var seen = plan.Parts.SelectMany(part => part).SelectMany(part => Enumerable.Range((int)part.First, (int)part.Count));
        Assert.Equal(Enumerable.Range(0, 100448 + 2800), seen.Order());
        Assert.All(
            Enumerable.Range(0, ranks), rank => Assert.True(plan.RowsOf(3, rank).Rows is 0 or 40));
        Assert.All(Enumerable.Range(0, ranks), rank => Assert.True(plan.RowsOf(0, rank).FirstRow % 64 == 0));
        var within = plan.PartsWithin(51200, 100448).Sum(part => part.Sum(segment => segment.Count));
        Assert.Equal(100448 - 51200, within);
    }

    [Theory]
    [InlineData(8, 1, 4)]
    [InlineData(8, 1, 3)]
    [InlineData(4, 6, 4)]
    [InlineData(4, 6, 5)]
    [InlineData(3, 1, 3)]
    [InlineData(2, 8, 2)]
    public void Every_sequence_belongs_to_one_rank(int batch, int accumulation, int size)
    {
        var seen = Enumerable.Range(0, size)
            .SelectMany(rank => BatchShare.Of(batch, accumulation, rank, size).MicroBatches)
            .SelectMany(part => Enumerable.Range(part.First, part.Count)).ToList();
        Assert.Equal(Enumerable.Range(0, batch * accumulation), seen);
        Assert.All(
            Enumerable.Range(0, size).SelectMany(rank => BatchShare.Of(batch, accumulation, rank, size).MicroBatches),
            part => Assert.InRange(part.Count, 1, batch));
    }

    [Fact]
    public void What_cannot_be_shared_is_refused()
    {
        Assert.Contains("cannot share a step of 3 sequences",
            Assert.Throws<InvalidInputException>(() => BatchShare.Of(3, 1, 0, 4)).Message, StringComparison.Ordinal);
        Assert.Contains("choose a multiple of 4",
            Assert.Throws<InvalidInputException>(() => BatchShare.Of(8, 2, 0, 4, whole: true)).Message,
            StringComparison.Ordinal);
    }

    private static (List<double> Losses, float[] Weights) Train(
        string architecture, string rule, int size, int steps, bool deterministic = false, bool sharded = false,
        double? clip = null)
        => Run(architecture, rule, size, steps, deterministic, sharded, clip);

    private static (List<double> Losses, float[] Weights) Run(
        string architecture, string rule, int size, int steps, bool deterministic = false, bool sharded = false,
        double? clip = null, Action<ProcessGroup, Optimizer>? check = null)
    {
        var config = ArchitectureRegistry.CreateConfig(architecture, 43, 20, 2, 2, Length, 37);
        var (losses, weights) = (new List<double>(), Array.Empty<float>());
        ThreadTransport.Run(size, group =>
        {
            using var scope = NewDisposeScope();
            using var model = LanguageModel.Create(config, ModelContext.Default);
            model.Initialize(seed: 5);
            var settings = OptimizerSettings.For(config) with { Rule = UpdateRuleRegistry.Get(rule, "rule") };
            if (clip is { } limit)
                settings = settings with { SpectralClip = limit, GradientClipping = limit / 2 };
            using var optimizer = new Optimizer(model, settings, sharded ? group : null);
            using var sharing = new GradientSharing(model, group, deterministic: deterministic);
            var share = BatchShare.Of(Sequences / 4, 4, group.Rank, size);
            var step = new TrainingStep(model, optimizer, share.MicroBatches.Count, sharing: sharing);
            for (var number = 0; number < steps; number++)
            {
                using var inner = NewDisposeScope();
                foreach (var (first, count) in share.MicroBatches)
                {
                    var (tokens, targets) = Batch(number, Sequences, 0);
                    step.ForwardBackward(
                        tokens.narrow(0, first, count).contiguous(), targets.narrow(0, first, count).contiguous(),
                        (double)Sequences / count);
                }

                var result = step.Update(1e-3);
                Assert.Null(result.Divergence);
                if (group.Rank == 0)
                    losses.Add(result.Loss);
            }

            check?.Invoke(group, optimizer);
            var own = Floats(model.Store.Values());
            var all = group.Gather(System.Runtime.InteropServices.MemoryMarshal.AsBytes(own.AsSpan()).ToArray());
            Assert.All(all, bytes => Assert.True(bytes.AsSpan().SequenceEqual(all[0])));
            if (group.Rank == 0)
                weights = own;
        });
        return (losses, weights);
    }

    private static float[] Floats(Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    private static (Tensor Tokens, Tensor Targets) Batch(int seed, int count, int offset)
    {
        var random = new Random(seed + offset);
        var ids = Enumerable.Range(0, count * (Length + 1)).Select(_ => (long)random.Next(43)).ToArray();
        var all = tensor(ids).view(count, Length + 1);
        return (all[.., ..Length].contiguous(), all[.., 1..].contiguous());
    }

    /// <summary>A group whose sums never come, so that what is sent can be looked at.</summary>
    private sealed unsafe class Alone(ProcessGroup group) : ProcessGroup
    {
        public override int Rank => group.Rank;

        public override int Size => group.Size;

        public override Task StartSum(float* values, long count, GradientDtype dtype) => Task.CompletedTask;

        public override Task StartReduceScatter(
            float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts, GradientDtype dtype)
            => Task.CompletedTask;

        public override void AllGather(float* values, IReadOnlyList<IReadOnlyList<BufferSegment>> parts)
        {
        }

        public override IReadOnlyList<byte[]> Gather(byte[] mine) => group.Gather(mine);

        public override void Broadcast(Span<byte> bytes) => group.Broadcast(bytes);

        public override void Dispose()
        {
        }
    }
}
