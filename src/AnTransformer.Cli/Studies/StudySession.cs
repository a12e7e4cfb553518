using System.Diagnostics;
using AnTransformer.Checkpoints;
using AnTransformer.Studies;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Running;
using AnTransformer.Training.Configuration;

namespace AnTransformer.Cli.Studies;

/// <summary>Carries out a study in its directory and keeps what it shows up to date.</summary>
internal static class StudySession
{
    // A study in progress is looked at now and then; reports may take a twentieth of its time.
    private const int ReportShare = 20;
    private static readonly TimeSpan BetweenReports = TimeSpan.FromMinutes(1);

    /// <exception cref="InvalidInputException">Settings or directory cannot be used.</exception>
    public static int Run(
        IStudy study, StudyDirectory directory, StudyDisplay display, bool json, CancellationToken stop)
    {
        var settings = study.Settings;
        var report = new StudyReport(study, directory, ThisProgram.CommandLine());
        var options = new StudyOptions(settings.Jobs, settings.Devices, settings.KeepCheckpoints)
        {
            WorkerTimeout = TimeSpan.FromSeconds(settings.WorkerTimeout),
        };
        var runner = new StudyRunner(directory, new ProcessLauncher(), options, display);
        AtomicFile.WriteAllText(directory.Configuration, ConfigurationBinder.Write(settings));
        foreach (var warning in study.PlanWarnings)
            display.OnWarning(warning);
        Stopwatch? sinceReport = null;
        var pause = BetweenReports;
        var outcome = runner.Run(
            study.Plan,
            state =>
            {
                report.WriteTable(state);
                if (!state.Finished.Any() || (sinceReport is not null && sinceReport.Elapsed < pause))
                    return;
                sinceReport = Stopwatch.StartNew();
                report.Write(state);
                pause = TimeSpan.FromTicks(Math.Max(BetweenReports.Ticks, ReportShare * sinceReport.Elapsed.Ticks));
            },
            stop);
        var findings = report.Write(outcome.State);
        display.Dispose();
        Show(study, directory, outcome, findings, json);
        if (outcome.Stopped)
        {
            ErrorLines.Write($"stopped with {outcome.State.Finished.Count()} runs done; the same command goes on.");
            return ExitCodes.Stopped;
        }

        return outcome.State.Failures.Count > 0 ? ExitCodes.InternalError : ExitCodes.Success;
    }

    private static void Show(
        IStudy study, StudyDirectory directory, StudyOutcome outcome, StudyFindings findings, bool json)
    {
        var warnings = StudyReport.Warnings(outcome.State, findings).ToList();
        if (json)
        {
            JsonOutput.Print(new
            {
                Study = study.Title,
                Complete = outcome.State.IsComplete,
                Runs = outcome.State.Finished.Count(),
                findings.Lead,
                Warnings = warnings,
                Findings = findings.Data,
                directory.Report,
                directory.Results,
                directory.RunsTable,
            });
            return;
        }

        Console.WriteLine(findings.Lead);
        foreach (var warning in warnings)
            Console.WriteLine("note: " + warning);
        Console.WriteLine();
        foreach (var table in findings.Tables)
            StudyTables.Print(table);
        Console.WriteLine($"report  {Path.GetRelativePath(Environment.CurrentDirectory, directory.Report)}");
    }
}
