using AnTransformer.Architectures;
using AnTransformer.Training.Benchmarking;
using AnTransformer.Training.Runs;
using Spectre.Console;

namespace AnTransformer.Cli.Display;

/// <summary>Shows predictions for several processes.</summary>
internal static class ScaleTables
{
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
        Console.WriteLine("Tokens per second, and efficiency in % of as many single processes:");
        var table = new Table().Border(TableBorder.Simple).AddColumn(new TableColumn("processes").RightAligned());
        foreach (var row in rows)
            table.AddColumn(new TableColumn(row.Name).RightAligned());
        for (var index = 0; index < rows[0].Cells.Count; index++)
        {
            table.AddRow(rows.Select(row => row.Cells[index])
                .Select(cell => $"{cell.TokensPerSecond:#,0} {100 * cell.Efficiency:f0}")
                .Prepend($"{rows[0].Cells[index].Ranks}").Select(ConsoleTables.Cell));
        }

        AnsiConsole.Write(table);
    }

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
