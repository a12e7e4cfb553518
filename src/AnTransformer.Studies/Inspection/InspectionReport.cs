using AnTransformer.Architectures;
using AnTransformer.Checkpoints;
using AnTransformer.Inspection;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Inspection;

/// <summary>
/// An inspection as a folder: <c>report.html</c>, <c>inspect.json</c>, <c>activations.csv</c>, <c>parameters.csv</c>,
/// plots as PNG and SVG.
/// </summary>
public static class InspectionReport
{
    /// <summary>Writes the folder.</summary>
    /// <param name="directory">Where; made when missing, files of the same names are replaced.</param>
    /// <param name="source">Where the figures come from.</param>
    /// <param name="inspection">The figures.</param>
    /// <exception cref="InvalidInputException">The folder or a file cannot be written.</exception>
    public static void Save(string directory, InspectionSource source, ModelInspection inspection)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException(
                $"{directory}: the folder cannot be created ({e.Message.TrimEnd('.')}); choose another one.", e);
        }

        AtomicFile.WriteAllText(
            Path.Combine(directory, "inspect.json"), InspectionJson.Write(source, inspection, indented: true) + "\n");
        AtomicFile.WriteAllText(Path.Combine(directory, "activations.csv"), InspectionCsv.Activations(inspection));
        AtomicFile.WriteAllText(Path.Combine(directory, "parameters.csv"), InspectionCsv.Parameters(inspection));
        var report = new HtmlReport($"Inspection of {inspection.Config.Architecture}");
        foreach (var finding in InspectionText.Findings(inspection))
            report.Lead(finding);
        report.Paragraph(source.Describe(inspection)).Code(source.Command).Heading("Figures");
        foreach (var (file, caption, chart) in new InspectionCharts(inspection).All())
        {
            using (chart)
            {
                chart.Save(Path.Combine(directory, file));
                report.Figure(chart, caption);
            }
        }

        foreach (var table in InspectionText.Tables(inspection))
            report.Heading(table.Title).Paragraph(table.Note).Table(table.Headers, table.Rows);
        report.Heading("Configuration").Code(ModelConfigJson.Write(inspection.Config))
            .Save(Path.Combine(directory, "report.html"));
    }
}
