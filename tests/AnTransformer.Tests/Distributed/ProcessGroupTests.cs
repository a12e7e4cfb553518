using AnTransformer.Distributed;

namespace AnTransformer.Tests.Distributed;

public sealed unsafe class ProcessGroupTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 1)]
    [InlineData(3, 1000)]
    [InlineData(4, 16)]
    [InlineData(2, (4 << 20) + 5)]      // more than one exchange
    public void Sums_are_everybodys_and_have_the_same_bits(int size, int count)
    {
        var results = new float[size][];
        ThreadTransport.Run(size, group =>
        {
            var values = Numbers(group.Rank, count);
            fixed (float* first = values)
                group.StartSum(first, count, GradientDtype.Fp32).GetAwaiter().GetResult();
            results[group.Rank] = values;
        });
        var all = Enumerable.Range(0, size).Select(rank => Numbers(rank, count)).ToList();
        for (var i = 0; i < count; i++)
        {
            var expected = all.Sum(values => (double)values[i]);
            Assert.Equal(expected, results[0][i], 1e-6 * size);
        }

        Assert.All(results, result => Assert.Equal(results[0], result));
    }

    /// <summary>((0 + 1) + (2 + 3)): what four ranks add is what two ranks add of whom each has added two.</summary>
    [Fact]
    public void Sums_are_a_binary_tree_over_the_ranks()
    {
        const int Count = 100;
        var (four, two) = (new float[Count], new float[Count]);
        ThreadTransport.Run(4, group => Add(group, Numbers(group.Rank, Count), four));
        ThreadTransport.Run(2, group => Add(
            group,
            Numbers(2 * group.Rank, Count).Zip(Numbers((2 * group.Rank) + 1, Count), (a, b) => a + b).ToArray(), two));
        Assert.Equal(four, two);

        static void Add(ProcessGroup group, float[] values, float[] result)
        {
            fixed (float* first = values)
                group.StartSum(first, values.Length, GradientDtype.Fp32).GetAwaiter().GetResult();
            if (group.Rank == 0)
                values.CopyTo(result, 0);
        }
    }

    [Fact]
    public void Halves_travel_and_floats_are_added()
    {
        const int Count = 1000;
        var results = new float[3][];
        ThreadTransport.Run(3, group =>
        {
            var values = Numbers(group.Rank, Count);
            fixed (float* first = values)
                group.StartSum(first, Count, GradientDtype.Bf16).GetAwaiter().GetResult();
            results[group.Rank] = values;
        });
        Assert.All(results, result => Assert.Equal(results[0], result));
        for (var i = 0; i < Count; i++)
        {
            var parts = Enumerable.Range(0, 3).Select(rank => Rounded(Numbers(rank, Count)[i])).ToList();
            Assert.Equal(Rounded(parts[0] + parts[1] + parts[2]), results[0][i]);
        }
    }

    [Theory]
    [InlineData(0f, 0x0000)]
    [InlineData(1f, 0x3f80)]
    [InlineData(1.00390625f, 0x3f80)]       // a tie goes to the even one
    [InlineData(1.01171875f, 0x3f82)]
    [InlineData(float.PositiveInfinity, 0x7f80)]
    [InlineData(float.MaxValue, 0x7f80)]
    public void Halves_are_the_nearest(float value, int bits) => Assert.Equal(bits, BrainFloat.Round(value));

    [Fact]
    public void What_is_no_number_stays_none() => Assert.True(float.IsNaN(BrainFloat.Widen(BrainFloat.Round(float.NaN))));

    [Fact]
    public void Words_of_all_lengths_are_gathered_and_given()
    {
        ThreadTransport.Run(3, group =>
        {
            var words = group.Gather(new byte[group.Rank * 5]);
            Assert.Equal([0, 5, 10], words.Select(word => word.Length));
            Assert.Equal([7, 8, 9], group.FromFirst(group.Rank == 0 ? [7, 8, 9] : []));
            Assert.False(group.Any(false));
            Assert.True(group.Any(group.Rank == 2));
            group.Barrier();
        });
    }

    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4", 1, 4)]
    [InlineData("PMI_RANK=0 PMI_SIZE=2", 0, 2)]
    [InlineData("PMIX_RANK=3 SLURM_NTASKS=8 SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=8", 3, 8)]
    public void Launchers_say_which_rank_this_is(string environment, int rank, int size)
    {
        var found = LaunchEnvironment.Find(Variables(environment));
        Assert.Equal((rank, size), (found!.Rank, found.Size));
    }

    [Theory]
    [InlineData("")]
    [InlineData("SLURM_NTASKS=8")]                          // a batch script
    [InlineData("SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=1")]
    [InlineData("OMPI_COMM_WORLD_RANK=x OMPI_COMM_WORLD_SIZE=2")]
    public void A_process_by_itself_belongs_to_no_job(string environment)
        => Assert.Null(LaunchEnvironment.Find(Variables(environment)));

    [Fact]
    public void Tasks_that_cannot_find_each_other_are_refused()
    {
        var error = Assert.Throws<InvalidInputException>(() => LaunchEnvironment.Find(
            Variables("SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=2")));
        Assert.Contains("srun --mpi=pmix", error.Message, StringComparison.Ordinal);
    }

    private static float Rounded(float value) => BrainFloat.Widen(BrainFloat.Round(value));

    private static float[] Numbers(int rank, int count)
    {
        var random = new Random(rank);
        return [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() * 2) - 1)];
    }

    private static Func<string, string?> Variables(string environment)
    {
        var values = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        return name => values.GetValueOrDefault(name);
    }
}
