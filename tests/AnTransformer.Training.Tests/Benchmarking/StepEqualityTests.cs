using AnTransformer.Native;
using AnTransformer.Training.Benchmarking;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Training.Tests.Benchmarking;

public sealed class StepEqualityTests
{
    // These tests use TorchSharp before anything of the library's.
    public StepEqualityTests() => LibTorch.EnsureLoaded();

    [Theory]
    [InlineData(2.0, 3.0, 0.0, true)]
    [InlineData(2.0, 3.001, 1e-3 / 3, true)]
    [InlineData(2.0, 3.03, 1e-2, false)]
    [InlineData(2.0, double.NaN, double.NaN, false)]
    [InlineData(2.1, 3.0, 0.0, false)]
    [InlineData(double.NaN, 3.0, 0.0, false)]
    public void Differences_are_relative_to_the_largest_gradient_and_NaN_is_never_equal(
        double loss, double gradient, double expected, bool equal)
    {
        using var step = new Constant(loss, [1, gradient]);
        using var reference = new Constant(2, [1, 3]);
        using var nothing = zeros(1);
        var measured = StepEquality.Measure(step, reference, nothing, nothing);
        Assert.Equal(expected, measured.GradientDifference, 1e-6);
        Assert.Equal(equal, measured.IsWithin(1e-3));
        Assert.Equal(expected == 0 ? "" : "second", measured.Parameter);
        Assert.All(step.NamedParameters, item => Assert.Equal(0, item.Parameter.grad!.abs().max().item<double>()));
    }

    [Fact]
    public void A_spread_is_median_and_extremes_and_ratios_go_round_by_round()
    {
        Assert.Equal(new Spread(2, 1, 9), Spread.Of([9, 1, 2]));
        Assert.Equal(new Spread(2.5, 1, 4), Spread.Of([4, 3, 2, 1]));
        Assert.Equal(new Spread(2, 2, 2), Spread.OfRatios([2, 20, 6], [1, 10, 3]));
        Assert.Throws<ArgumentException>(() => Spread.Of([]));
    }

    [Theory]
    [InlineData(5, null, null)]
    [InlineData(6, 1, 6)]
    [InlineData(8, 1, 8)]
    [InlineData(9, 2, 8)]
    [InlineData(30, 10, 21)]        // of a table of binomial intervals, as the others
    [InlineData(100, 40, 61)]
    [InlineData(1000, 469, 532)]
    [InlineData(10_000, 4902, 9_999 - 4900)]
    public void The_median_s_interval_lies_between_two_measurements(int count, int? from, int? to)
    {
        var spread = Spread.Of(Enumerable.Range(1, count).Select(i => (double)i).Reverse());
        Assert.Equal(((double?)from, (double?)to), (spread.MedianFrom, spread.MedianTo));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void Of_two_contestants_each_is_first_equally_often(int count)
    {
        var before = new int[count, count];
        for (var round = 0; round < 2 * count; round++)
        {
            var order = Enumerable.Range(0, count).Select(turn => StepBenchmark.Place(round, turn, count)).ToList();
            Assert.Equal(Enumerable.Range(0, count), order.Order());
            foreach (var (first, second) in from a in order from b in order where a != b && order.IndexOf(a) < order.IndexOf(b) select (a, b))
                before[first, second]++;
        }

        for (var a = 0; a < count; a++)
        {
            for (var b = 0; b < count; b++)
                Assert.Equal(a == b ? 0 : count, before[a, b]);
        }
    }

    [Fact]
    public void Batches_follow_from_the_seed_and_targets_are_the_next_ids()
    {
        var (inputs, targets) = new RandomBatches(3, 5, 7, seed: 1).Next();
        var again = new RandomBatches(3, 5, 7, seed: 1).Next();
        Assert.Equal(inputs, again.Inputs);
        Assert.Equal(targets, again.Targets);
        Assert.NotEqual(inputs, new RandomBatches(3, 5, 7, seed: 2).Next().Inputs);
        Assert.All(inputs.Concat(targets), id => Assert.InRange(id, 0, 6));
        for (var row = 0; row < 3; row++)
            Assert.Equal(inputs[((row * 5) + 1)..((row * 5) + 5)], targets[(row * 5)..((row * 5) + 4)]);
    }

    [Fact]
    public void The_peak_of_memory_covers_what_was_held()
    {
        using var held = ones(1L << 24, dtype: ScalarType.Float32);
        Assert.InRange(PeakMemory.Bytes(), 4L << 24, long.MaxValue);
    }

    /// <summary>A step that computes nothing: a given loss and given gradients, one parameter each.</summary>
    private sealed class Constant(double loss, double[] gradients) : ITrainingStep
    {
        private static readonly string[] ParameterNames = ["first", "second"];
        private readonly Parameter[] _parameters = gradients.Select(_ => new Parameter(zeros(1, dtype: ScalarType.Float64))).ToArray();

        public IEnumerable<(string Name, Parameter Parameter)> NamedParameters => ParameterNames.Zip(_parameters);

        public double ForwardBackward(Tensor tokens, Tensor targets)
        {
            foreach (var (parameter, gradient) in _parameters.Zip(gradients))
                (parameter * gradient).sum().backward();
            return loss;
        }

        public void Update(double learningRate)
        {
            foreach (var parameter in _parameters)
                parameter.grad!.zero_();
        }

        public void Dispose()
        {
            foreach (var parameter in _parameters)
                parameter.Dispose();
        }
    }
}
