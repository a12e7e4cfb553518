using AnTransformer.Architectures;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Runs;

namespace AnTransformer.Cli.Display;

/// <summary>Shows predictions for several processes.</summary>
internal static class ScaleTables
{
    // Eleven numbers of processes in 80 columns.
    private const int NameWidth = 17;
    private const int CellWidth = 5;

    public static void Print(StepCost cost, TrainingPlan plan, IReadOnlyList<Row> rows, bool json)
    {
        var weights = 4.0 * ModelCost.Parameters(plan.Model);
        var state = plan.Optimizer.Rule.StateBytes(plan.Model);
        if (json)
        {
            JsonOutput.Print(new
            {
                cost.FixedSeconds,
                cost.SequenceSeconds,
                cost.UpdateSeconds,
                GradientBytes = weights,
                OptimizerBytes = state,
                Scenarios = rows.Select(row => new { row.Name, row.Cells }),
            });
            return;
        }

        Console.WriteLine(Printable.Line(
            $"A step of one process: {1e3 * cost.FixedSeconds:f1} ms and {1e3 * cost.SequenceSeconds:f2} ms a "
                + "sequence, "
                + $"update {1e3 * cost.UpdateSeconds:f1} ms; gradients {weights / 1e6:f1} MB, optimizer state "
                + $"{state / 1e6:f1} MB (with shard_optimizer that over the processes)."));
        Console.WriteLine();
        Console.WriteLine("processes   tokens/s   step ms   waiting ms   efficiency");
        foreach (var cell in rows[0].Cells)
        {
            var (step, waited, share) = (1e3 * cell.StepSeconds, 1e3 * cell.WaitedSeconds, 100 * cell.Efficiency);
            Console.WriteLine(FormattableString.Invariant(
                $"{cell.Ranks,9} {cell.TokensPerSecond,10:#,0} {step,9:f1} {waited,12:f1} {share,10:f0} %"));
        }

        Console.WriteLine();
        Console.WriteLine("Efficiency in % of as many single processes, by number of processes:");
        Console.WriteLine(NameOf("") + string.Concat(rows[0].Cells.Select(cell => $"{cell.Ranks,CellWidth}")));
        foreach (var row in rows)
        {
            Console.WriteLine(NameOf(row.Name) + string.Concat(row.Cells.Select(
                cell => FormattableString.Invariant($"{100 * cell.Efficiency,CellWidth:f0}"))));
        }
    }

    private static string NameOf(string row) => row.PadRight(NameWidth);

    /// <summary>A way of training, for several numbers of processes.</summary>
    internal sealed record Row(string Name, IReadOnlyList<Cell> Cells);

    /// <summary>What is predicted for a number of processes.</summary>
    internal sealed record Cell(
        int Ranks, double StepSeconds, double SentSeconds, double WaitedSeconds, double TokensPerSecond,
        double Efficiency)
    {
        public static Cell Of(ParallelEstimate estimate, TrainingPlan plan, int ranks)
        {
            var step = estimate.Step(ranks);
            var alone = estimate.Step(1);
            var tokens = (double)estimate.BatchSize * estimate.GradientAccumulation * plan.Model.MaxPositionEmbeddings;
            return new Cell(
                ranks, step.Seconds, step.Sent, step.Waited, tokens / step.Seconds,
                alone.Seconds / step.Seconds / ranks);
        }
    }
}
