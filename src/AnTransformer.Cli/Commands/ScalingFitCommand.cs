using System.CommandLine;
using System.Globalization;
using AnTransformer.Cli.Display;
using AnTransformer.Studies.Scaling.Fitting;
using AnTransformer.Studies.Scaling.Reporting;
using AnTransformer.Studies.Scaling.Tables;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt scaling fit</c>: scaling laws of any table of runs.</summary>
internal static class ScalingFitCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file")
        {
            Description = "A table of runs with a header row: CSV, or separated by semicolons or tabs.",
        };
        var parameters = Column(
            "--params", "Column of N, the number of parameters (by default the column named params).");
        var tokens = Column(
            "--tokens", "Column of D, the number of training tokens (by default the column named tokens).");
        var loss = new Option<string>("--loss")
        {
            Description = "Column of the final loss.",
            DefaultValueFactory = _ => "loss",
        };
        var flops = Column(
            "--flops", "Column of training compute C in FLOP. Without one C = 6 N D; with one, N or D may be missing.");
        var rate = Column("--learning-rate", "Column of the learning rate: also fits the best one as k N^p D^q.");
        var batch = Column("--batch-size", "Column of the batch size: also fits the best one as k N^p D^q.");
        var group = Column(
            "--group", "Column whose values are fitted separately and compared, such as the architecture.");
        var law = new ChoiceOption<ScalingLaw>("--law", ScalingLaw.Parametric)
        {
            Description = "parametric: L(N, D) = E + A/N^a + B/D^b, and L(C) on the compute-efficient runs; power: "
                + "L(C) = L0 + k/C^c alone.",
        };
        var delta = SharedOptions.Number(
            "--delta", 1e-3, "Where the Huber loss of log residuals turns from quadratic to linear.").InRange(1e-9,
            1e3);
        var zeroFloor = new Option<bool>("--zero-floor") { Description = "Fit L(C) without a floor." };
        var budgets = new Option<double[]>("--compute")
        {
            Description = "Budgets in FLOP to allocate (by default powers of ten).",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
            HelpName = "numbers",
            CustomParser = result =>
            {
                var texts = result.Tokens.Select(token => token.Value).ToList();
                var values = texts.ConvertAll(
                    text => double.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : double.NaN);
                var wrong = values.FindIndex(value => value is not (> 0 and < double.PositiveInfinity));
                if (wrong < 0)
                    return [.. values];
                result.AddError($"--compute must be positive numbers of FLOP, not '{Printable.Excerpt(texts[wrong])}'");
                return [];
            },
        };
        var resamples = SharedOptions.Int("--resamples", 200, "Bootstrap resamples for 95 % intervals; 0 for none.")
            .InRange(0, 1_000_000);
        var seed = SharedOptions.Int("--seed", 0, "Seed of the resamples.");
        var drop = SharedOptions.Int(
            "--drop-highest-loss", 0, "Leave out so many rows of highest loss, of each group.").InRange(0,
            int.MaxValue);
        var skip = new Option<bool>("--skip-incomplete")
        {
            Description = "Leave out rows in which a needed value is empty, NaN or infinite.",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Directory that receives fit.json, the figures and report.html.",
        }.NotEmpty("name a directory");
        var json = SharedOptions.Json();
        var command = new Command(
            "fit", "Fit scaling laws to a table of runs: laws, compute-optimal sizes, intervals, figures.")
        {
            file, parameters, tokens, loss, flops, rate, batch, group, law, delta, zeroFloor, budgets, resamples, seed,
            drop, skip, output, json,
        };
        command.SetAction(parsed =>
        {
            using var stop = new StopSignal(StopWords.Fit);
            var columns = new ScalingColumns
            {
                Parameters = parsed.GetValue(parameters),
                Tokens = parsed.GetValue(tokens),
                Loss = parsed.GetRequiredValue(loss),
                Flops = parsed.GetValue(flops),
                LearningRate = parsed.GetValue(rate),
                BatchSize = parsed.GetValue(batch),
                Group = parsed.GetValue(group),
            };
            var options = new ScalingFitOptions
            {
                Law = parsed.GetValue(law),
                Delta = parsed.GetValue(delta),
                ZeroFloor = parsed.GetValue(zeroFloor),
                Resamples = parsed.GetValue(resamples),
                Seed = parsed.GetValue(seed),
                DropHighestLoss = parsed.GetValue(drop),
                Budgets = parsed.GetValue(budgets) ?? [],
            };
            var isComputeOnly = options.Law is ScalingLaw.Power && columns is { LearningRate: null, BatchSize: null };
            var table = ScalingTable.Load(parsed.GetRequiredValue(file), columns, isComputeOnly, parsed.GetValue(skip));
            var fit = ScalingFit.Run(table, options, stop.Token);
            var directory = parsed.GetValue(output);
            if (directory is not null)
                ScalingReport.Write(directory, fit, ThisProgram.CommandLine());
            if (parsed.GetValue(json))
                JsonOutput.Print(ScalingJson.Of(fit));
            else
                new ScalingTables().Print(fit, directory);
            return ExitCodes.Success;
        });
        return command;
    }

    private static Option<string?> Column(string name, string description)
        => new(name) { Description = description, HelpName = "column" };
}
