using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Cli.Display;
using AnTransformer.Evaluation;
using AnTransformer.Evaluation.Results;
using AnTransformer.Evaluation.Tasks;
using AnTransformer.Inference;

namespace AnTransformer.Cli.Commands;

/// <summary><c>angpt eval --tasks</c>: questions with known answers, scored by own kernels.</summary>
internal sealed class TaskOptions
{
    private readonly Option<string> _tasks = new Option<string>("--tasks")
    {
        Description = "Tasks to evaluate instead of data, separated by commas: "
            + $"{string.Join(", ", TaskRegistry.Names)}, or paths of descriptions (.yaml).",
    }.NotEmpty("name tasks");

    private readonly Option<string> _data = new Option<string>("--task-data")
    {
        Description = "Directory with the files of these sets, as they are published.",
    }.NotEmpty("name a directory");

    private readonly Option<int> _limit
        = SharedOptions.Int("--limit", 0, "Questions of each task, or of each paradigm of blimp; 0 for all.")
            .InRange(0, int.MaxValue);

    private readonly Option<string> _output = new Option<string>("--output")
    {
        Description = "File for results in the form of lm-evaluation-harness (JSON); --json prints them.",
    }.NotEmpty("name a file");

    private readonly LoadingOptions _loading = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_tasks, _data, _limit, _output])
            command.Options.Add(option);
        _loading.AddTo(command);
    }

    /// <summary>Whether tasks are asked for.</summary>
    public bool AreGiven(ParseResult parsed) => parsed.GetValue(_tasks) is not null;

    /// <summary>Checks that none of these options is given.</summary>
    /// <exception cref="InvalidInputException">One is.</exception>
    public void RequireNone(ParseResult parsed)
    {
        foreach (var option in (Option[])[_data, _limit, _output])
        {
            if (parsed.GetResult(option) is { Implicit: false })
                throw new InvalidInputException($"{option.Name} belongs to --tasks; name tasks, or leave it out.");
        }
    }

    /// <summary>Evaluates and prints.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="json">Whether to print JSON.</param>
    /// <param name="stop">Ends the evaluation.</param>
    /// <exception cref="InvalidInputException">Something given cannot be used.</exception>
    public void Run(ParseResult parsed, string checkpoint, bool json, CancellationToken stop)
    {
        var directory = parsed.GetValue(_data)
            ?? throw new InvalidInputException(
                "--tasks needs --task-data, the directory with the files of these sets.");
        var (begin, watch, limit) = (DateTimeOffset.UtcNow, Stopwatch.StartNew(), parsed.GetValue(_limit));
        CheckpointPath.RequireCausal(checkpoint);
        var tokenizer = CheckpointPath.RequiredTokenizer(checkpoint);
        var tasks = TaskEvaluation.Open(parsed.GetRequiredValue(_tasks).Split(','), directory, limit);
        using var model = InferenceModel.Load(checkpoint, _loading.Options(parsed));
        CheckpointPath.RequireVocabulary(checkpoint, tokenizer, model.Config);
        IReadOnlyList<TaskResult> results;
        using (var display = TrainingDisplay.Create())
            results = tasks.Run(model, tokenizer, (task, share) => display.OnProgress("evaluating", share, task), stop);
        var whole = ResultsJson.Of(checkpoint, model, results, limit, begin, watch.Elapsed.TotalSeconds);
        if (parsed.GetValue(_output) is { } output)
            AtomicFile.WriteAllText(
                output, whole.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
        if (json)
            Console.WriteLine(whole.ToJsonString());
        else
            Print(results);
    }

    private static void Print(IReadOnlyList<TaskResult> results)
    {
        List<string[]> rows = [["task", "questions", "metric", "value", "standard error"]];
        foreach (var result in results)
        {
            AddRows(rows, result, result.Name);
            foreach (var part in result.Parts)
                AddRows(rows, part, "- " + part.Name);
        }

        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))
            .ToArray();
        rows.Insert(1, [.. widths.Select((width, i) => new string('-', width - (i is 1 or 3 or 4 ? 1 : 0))
            + (i is 1 or 3 or 4 ? ":" : ""))]);
        foreach (var row in rows)
        {
            Console.WriteLine($"| {string.Join(" | ", row.Select((cell, i) => i is 0 or 2
                ? cell.PadRight(widths[i])
                : cell.PadLeft(widths[i])))} |");
        }

        if (results.Sum(result => result.Cut) is > 0 and var cut)
            Console.WriteLine(
                $"\n{cut} texts are longer than the model's context and were read without their beginnings.");
    }

    private static void AddRows(List<string[]> rows, TaskResult result, string name)
    {
        foreach (var metric in result.Metrics)
        {
            rows.Add(
            [
                name, result.Questions.ToString(CultureInfo.InvariantCulture), metric.Name, Text(metric.Value),
                metric.StandardError is { } error ? "± " + Text(error) : "-",
            ]);
            name = "";
        }
    }

    private static string Text(double value)
        => value.ToString(Math.Abs(value) < 1000 ? "f4" : "g4", CultureInfo.InvariantCulture);
}
