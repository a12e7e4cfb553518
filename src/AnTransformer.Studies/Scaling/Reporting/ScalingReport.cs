using System.Text.Encodings.Web;
using System.Text.Json;
using AnTransformer.Checkpoints;
using AnTransformer.Studies.Reporting;
using AnTransformer.Studies.Scaling.Fitting;

namespace AnTransformer.Studies.Scaling.Reporting;

/// <summary>
/// Writes a fit to a directory: <c>fit.json</c>, figures as PNG and SVG, and <c>report.html</c> with all of it.
/// </summary>
public static class ScalingReport
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the files; those of the same name are replaced.</summary>
    /// <param name="directory">Where; made if missing.</param>
    /// <param name="fit">The fit.</param>
    /// <param name="commandLine">The command that made it, for the report.</param>
    /// <exception cref="InvalidInputException">A file cannot be written.</exception>
    public static void Write(string directory, ScalingFit fit, string commandLine)
    {
        ArgumentNullException.ThrowIfNull(fit);
        AtomicFile.WriteAllText(Path.Combine(directory, "fit.json"), ScalingJson.Of(fit).ToJsonString(Indented) + "\n");
        var report = new HtmlReport($"Scaling laws of {Path.GetFileName(fit.Table.Name)}");
        Lead(report, fit);
        report.Code(commandLine).Paragraph(Settings(fit.Options));
        foreach (var note in fit.Table.Notes)
            report.Paragraph(Sentence(note));
        if (ScalingSections.Comparisons(fit) is { } comparisons)
        {
            report.Heading("Exponents of the groups").Table(comparisons.Headers, comparisons.Rows);
            report.Paragraph(
                "An interval that holds zero does not show that the exponents are equal, only that these rows do not "
                    + "tell them apart.");
        }

        if (ScalingCharts.Comparison(fit) is var (name, caption, chart))
            Draw(report, directory, name, caption, chart);
        foreach (var group in fit.Groups)
            Add(report, directory, group);
        report.Save(Path.Combine(directory, "report.html"));
    }

    private static void Add(HtmlReport report, string directory, GroupFit group)
    {
        report.Heading(group.Group.Length == 0 ? "Fit" : group.Group)
            .Paragraph(Sentence(ScalingSections.Summary(group)));
        foreach (var note in group.Notes)
            report.Paragraph(Sentence(note));
        foreach (var warning in group.Warnings)
            report.Warning(Sentence(warning));
        foreach (var section in ScalingSections.Of(group))
            report.Paragraph(section.Title).Table(section.Headers, section.Rows);
        foreach (var (name, caption, chart) in ScalingCharts.Of(group))
            Draw(report, directory, name, caption, chart);
    }

    private static void Draw(HtmlReport report, string directory, string name, string caption, Chart chart)
    {
        using (chart)
        {
            chart.Save(Path.Combine(directory, name));
            report.Figure(chart, caption);
        }
    }

    private static void Lead(HtmlReport report, ScalingFit fit)
    {
        foreach (var group in fit.Groups)
        {
            if (group.Parametric?.Fit.Law is { } law)
            {
                report.Lead(
                    $"{(group.Group.Length == 0 ? "" : group.Group + ": ")}L(N, D) = {law.E:0.####} + {law.A:g5} / "
                        + $"N^{law.Alpha:0.####} + {law.B:g5} / D^{law.Beta:0.####}; "
                    + $"N_opt ∝ C^{law.ParameterExponent:0.###}, D_opt ∝ C^{law.TokenExponent:0.###}.");
            }
            else if (group.Compute?.Fit.Law is { } compute)
            {
                report.Lead(
                    $"{(group.Group.Length == 0 ? "" : group.Group + ": ")}L(C) = {compute.Floor:0.####} + "
                        + $"{compute.Scale:g5} / C^{compute.Exponent:0.####}.");
            }
        }
    }

    private static string Settings(ScalingFitOptions options)
        => $"Huber loss of log residuals, δ = {options.Delta:g3}; 95 % intervals: percentiles of {options.Resamples} "
            + $"bootstrap resamples of rows, seed {options.Seed}"
            + (options.DropHighestLoss > 0 ? $"; the {options.DropHighestLoss} rows of highest loss of each group left "
            + "out" : "")
            + (options.ZeroFloor ? "; L(C) without a floor." : ".");

    private static string Sentence(string clause) => char.ToUpperInvariant(clause[0]) + clause[1..] + ".";
}
