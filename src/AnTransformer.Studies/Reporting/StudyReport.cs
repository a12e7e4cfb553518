using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Studies.Reporting;

/// <summary>
/// Writes what a study has found: <c>runs.csv</c>, <c>results.json</c>, plots and <c>report.html</c>.
/// </summary>
/// <param name="study">The study.</param>
/// <param name="directory">Its directory.</param>
/// <param name="commandLine">The command that repeats it.</param>
public sealed class StudyReport(IStudy study, StudyDirectory directory, string commandLine)
{
    /// <summary>Writes the tables, which takes no time.</summary>
    /// <param name="state">What is known.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public void WriteTable(StudyState state)
        => RunsTable.Write(directory.RunsTable, state.Finished, state.Agenda.AtBestRate);

    /// <summary>Writes everything.</summary>
    /// <param name="state">What is known.</param>
    /// <returns>What was found.</returns>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public StudyFindings Write(StudyState state)
    {
        WriteTable(state);
        var findings = study.Findings(state);
        findings = findings with { Tables = findings.Tables.Select(table => table.WithoutEmptyColumns()).ToList() };
        AtomicFile.WriteAllText(
            directory.Results, JsonSerializer.Serialize(ForPrograms(state, findings), RunResultFile.Json) + "\n");
        var page = new HtmlReport(study.Title);
        page.Lead(findings.Lead);
        foreach (var warning in Warnings(state, findings))
            page.Warning(warning);
        foreach (var table in findings.Tables)
        {
            page.Heading(table.Title).Table(table.Headers, table.Rows);
            if (table.Note.Length > 0)
                page.Paragraph(table.Note);
        }

        if (findings.Figures.Count > 0)
            page.Heading("Figures");
        foreach (var figure in findings.Figures)
        {
            using var chart = figure.Draw();
            chart.Save(Path.Combine(directory.Root, "plots", figure.Name));
            page.Figure(chart, figure.Caption);
        }

        WriteRuns(page, state);
        page.Heading("How to repeat it").Code(commandLine).Paragraph(
            $"AnTransformer {ResultCollector.Version}; the settings, as study.yaml:")
            .Code(ConfigurationBinder.Write(study.Settings));
        page.Save(directory.Report);
        return findings;
    }

    /// <summary>The findings' warnings, and that runs are missing.</summary>
    /// <param name="state">What is known.</param>
    /// <param name="findings">What was found.</param>
    public static IEnumerable<string> Warnings(StudyState state, StudyFindings findings)
    {
        if (!state.IsComplete)
        {
            var total = state.Agenda.Runs.Count + state.Agenda.Later.Count;
            yield return $"The study is not complete: {state.Finished.Count()} of about {total} runs are done.";
        }

        foreach (var (name, reason) in state.Failures)
            yield return $"The run {name} failed ({reason.TrimEnd('.')}); the same command tries it again.";
        foreach (var warning in findings.Warnings)
            yield return warning;
    }

    private object ForPrograms(StudyState state, StudyFindings findings) => new
    {
        Study = study.Title,
        ResultCollector.Version,
        CommandLine = commandLine,
        Complete = state.IsComplete,
        findings.Lead,
        Warnings = Warnings(state, findings).ToList(),
        Findings = findings.Data,
        Runs = state.Finished.Select(item => new
        {
            Axes = item.Run.Axes.ToDictionary(axis => axis.Key, axis => axis.Value),
            item.Run.Configuration.Training.Seed,
            item.Run.Configuration.Optimizer.LearningRate,
            Result = item.Result with { Settings = new Dictionary<string, string>(StringComparer.Ordinal) },
        }).ToList(),
    };

    private static void WriteRuns(HtmlReport page, StudyState state)
    {
        var runs = state.Finished.ToList();
        if (runs.Count == 0)
            return;
        var axes = runs[0].Run.Axes.Select(axis => axis.Key).ToList();
        page.Heading("Runs").Table(
            ["run", .. axes, "seed", "learning rate", "loss", "bits per byte", "tokens", "seconds", "status"],
            runs.Select(item => (IReadOnlyList<string>)
            [
                item.Run.Name, .. item.Run.Axes.Select(axis => axis.Value), $"{item.Run.Configuration.Training.Seed}",
                Cells.Rate(item.Run.Configuration.Optimizer.LearningRate), Cells.Loss(item.Result.ValLoss), Cells.Loss(
                    item.Result.BitsPerByte),
                Cells.Count(item.Result.Tokens), $"{item.Result.Seconds:f0}", item.Result.Status.ToString()
                    .ToLowerInvariant(),
            ]));
    }
}
