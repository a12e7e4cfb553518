using System.Net;
using System.Text;
using AnTransformer.Checkpoints;

namespace AnTransformer.Studies.Reporting;

/// <summary>
/// One self-contained HTML page: headings, paragraphs, tables, code and figures (inline SVG); no script, no link to
/// another file. Texts are given as plain text and escaped here.
/// </summary>
/// <param name="title">Title of the page.</param>
public sealed class HtmlReport(string title)
{
    private const string Style = """
        body { font: 16px/1.5 system-ui, sans-serif; color: #24292f; max-width: 62rem; margin: 2rem auto;
        padding: 0 1rem }
        h1 { font-size: 1.7rem } h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #d0d7de }
        table { border-collapse: collapse; margin: 1rem 0; font-size: .9rem; font-variant-numeric: tabular-nums;
        display: block; overflow-x: auto }
        th, td { padding: .3rem .7rem; border: 1px solid #d0d7de; text-align: right } th { background: #f6f8fa }
        th:first-child, td:first-child { text-align: left }
        pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; font-size: .85rem } figure { margin: 1rem 0 }
        svg { max-width: 100%; height: auto }
        figcaption { color: #57606a; font-size: .9rem } .lead { font-size: 1.1rem } .warning { background: #fff8c5;
        padding: .5rem .8rem }
        """;

    private readonly StringBuilder _body = new();
    private int _figures;

    /// <summary>The sentence that says what came out, set larger than the rest.</summary>
    /// <param name="text">Plain text.</param>
    public HtmlReport Lead(string text) => Add($"<p class=\"lead\">{Escape(text)}</p>");

    /// <summary>A paragraph.</summary>
    /// <param name="text">Plain text.</param>
    public HtmlReport Paragraph(string text) => Add($"<p>{Escape(text)}</p>");

    /// <summary>A paragraph that warns.</summary>
    /// <param name="text">Plain text.</param>
    public HtmlReport Warning(string text) => Add($"<p class=\"warning\">{Escape(text)}</p>");

    /// <summary>A heading.</summary>
    /// <param name="text">Plain text.</param>
    public HtmlReport Heading(string text) => Add($"<h2>{Escape(text)}</h2>");

    /// <summary>A table.</summary>
    /// <param name="headers">Column titles.</param>
    /// <param name="rows">Cells, row by row, as many as titles.</param>
    public HtmlReport Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        _body.Append("<table><thead>").Append(Row(headers, "th")).Append("</thead><tbody>\n");
        foreach (var row in rows)
            _body.Append(Row(row, "td")).Append('\n');
        _body.Append("</tbody></table>\n");
        return this;
    }

    /// <summary>Text in a fixed-width font, such as a command or a configuration.</summary>
    /// <param name="text">Plain text.</param>
    public HtmlReport Code(string text) => Add($"<pre>{Escape(text)}</pre>");

    /// <summary>A figure.</summary>
    /// <param name="chart">The figure.</param>
    /// <param name="caption">What it shows.</param>
    public HtmlReport Figure(Chart chart, string caption)
    {
        var svg = chart.Svg();
        // Identifiers are per document: those of another figure's clip paths must not collide.
        var prefix = $"f{++_figures}clip";
        svg = svg[svg.IndexOf("<svg", StringComparison.Ordinal)..]
            .Replace("id=\"clip", $"id=\"{prefix}", StringComparison.Ordinal)
            .Replace("url(#clip", $"url(#{prefix}", StringComparison.Ordinal);
        return Add($"<figure>{svg}<figcaption>{Escape(caption)}</figcaption></figure>");
    }

    /// <summary>Writes the page.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">It cannot be written.</exception>
    public void Save(string path) => AtomicFile.WriteAllText(path, ToString());

    /// <summary>The page.</summary>
    public override string ToString()
        => "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
            + "content=\"width=device-width\">"
            + $"<title>{Escape(title)}</title><style>\n{Style}\n</style></head><body>\n"
            + $"<h1>{Escape(title)}</h1>\n{_body}</body></html>\n";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Row(IReadOnlyList<string> cells, string tag)
        => "<tr>" + string.Concat(cells.Select(cell => $"<{tag}>{Escape(cell)}</{tag}>")) + "</tr>";

    private HtmlReport Add(string html)
    {
        _body.Append(html).Append('\n');
        return this;
    }
}
