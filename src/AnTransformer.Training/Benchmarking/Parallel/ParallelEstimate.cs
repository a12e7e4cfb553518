namespace AnTransformer.Training.Benchmarking;

/// <summary>
/// What a step of several ranks is predicted to take: each computes its share of the sequences, sums of gradients
/// travel by a <see cref="Link"/>, beside the last micro-batch's backward pass or after it.
/// </summary>
/// <param name="Cost">What a step of one rank costs.</param>
/// <param name="Link">What lies between ranks.</param>
/// <param name="BatchSize">Sequences of a micro-batch.</param>
/// <param name="GradientAccumulation">Micro-batches of a step.</param>
public sealed record ParallelEstimate(StepCost Cost, Link Link, int BatchSize, int GradientAccumulation)
{
    private const double ForwardShare = 1.0 / 3;

    /// <summary>How sums are made.</summary>
    public Reduction Reduction { get; init; }

    /// <summary>Bytes of a number that travels: 4, or 2 in bf16.</summary>
    public int GradientBytes { get; init; } = sizeof(float);

    /// <summary>Whether gradients travel beside the backward pass.</summary>
    public bool Overlaps { get; init; } = true;

    /// <summary>Whether ranks share the optimizer.</summary>
    public bool ShardOptimizer { get; init; }

    /// <summary>Steps between meetings.</summary>
    public int SyncEvery { get; init; } = 1;

    /// <summary>Numbers that the optimizer keeps for each weight: they are averaged at meetings.</summary>
    public double StatePerWeight { get; init; } = 2;

    private double Weights => Cost.Parts.Sum();

    /// <summary>A step's prediction.</summary>
    /// <param name="ranks">How many ranks there are.</param>
    public ParallelStep Step(int ranks)
    {
        var sequences = Math.Ceiling((double)BatchSize * GradientAccumulation / ranks);
        var passes = Math.Ceiling(sequences / BatchSize);
        var compute = (passes * Cost.FixedSeconds) + (sequences * Cost.SequenceSeconds);
        var update = ShardOptimizer ? Cost.UpdateSeconds / ranks : Cost.UpdateSeconds;
        double sent, waited;
        if (SyncEvery > 1)
        {
            var bytes = Weights * GradientBytes * (1 + StatePerWeight);
            sent = waited = Link.AllReduce(bytes, ranks, Reduction) / SyncEvery;
        }
        else
        {
            var backward = (1 - ForwardShare) * compute / passes;
            (sent, waited) = Gradients(ranks, backward);
            if (ShardOptimizer)
            {
                var weights = Link.ReduceScatter(Weights * sizeof(float), ranks, Reduction);
                (sent, waited) = (sent + weights, waited + weights);
            }
        }

        return new ParallelStep(ranks, compute, update, sent, waited);
    }

    /// <summary>Seconds that gradients travel, and that nothing else is done meanwhile.</summary>
    private (double Sent, double Waited) Gradients(int ranks, double backward)
    {
        // Matrix products take most of the time, so parts are complete in proportion to their numbers; the embedding's
        // gradient needs none.
        var products = Math.Max(1, Cost.Parts.Take(Cost.Parts.Count - 1).Sum());
        double ready = 0, free = 0, sent = 0;
        for (var part = 0; part < Cost.Parts.Count; part++)
        {
            ready = part == Cost.Parts.Count - 1 ? backward : ready + (backward * Cost.Parts[part] / products);
            var bytes = (double)Cost.Parts[part] * GradientBytes;
            var seconds = Cost.Parts[part] == 0 ? 0
                : ShardOptimizer ? Link.ReduceScatter(bytes, ranks, Reduction)
                : Link.AllReduce(bytes, ranks, Reduction);
            free = Math.Max(free, Overlaps ? ready : backward) + seconds;
            sent += seconds;
        }

        return (sent, Math.Max(0, free - backward));
    }
}

/// <summary>A step of several ranks, in seconds.</summary>
/// <param name="Ranks">How many there are.</param>
/// <param name="Compute">Forward and backward passes.</param>
/// <param name="Update">The optimizer.</param>
/// <param name="Sent">How long numbers travel.</param>
/// <param name="Waited">How long of that nothing else is done.</param>
public sealed record ParallelStep(int Ranks, double Compute, double Update, double Sent, double Waited)
{
    /// <summary>The whole step.</summary>
    public double Seconds => Compute + Update + Waited;
}
