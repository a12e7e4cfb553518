using System.Xml.Linq;
using AnTransformer.Studies.Reporting;

namespace AnTransformer.Studies.Tests.Reporting;

public sealed class ReportTests
{
    [Fact]
    public void A_report_is_one_well_formed_page_with_its_figures_inside()
    {
        using var chart = new Chart("Loss < 3 & falling", "tokens", "loss", logX: true)
            .Line("a", [1e3, 1e4, 1e5], [3, 2, double.NaN], markers: true)
            .Points("a", [1e3, 1e4], [3, 2], [2.9, 1.9], [3.1, 2.1])
            .Band("a", [1e3, 1e4], [2.9, 1.9], [3.1, 2.1])
            .Level("floor", 1.5)
            .Mark("", 2e3);
        using var map = new Chart("Map", "x", "y").Heatmap(new[,] { { 1, 2.0 }, { double.NaN, 4 } }, ["a", "b"], ["c", "d"]);
        var report = new HtmlReport("A <study>").Lead("won & lost").Heading("Runs").Table(["a", "b"], [["1", "<2>"]])
            .Figure(chart, "one").Figure(map, "two").Code("x < y").Paragraph("p").Warning("w").ToString();

        var body = XDocument.Parse(report[report.IndexOf("<body>", StringComparison.Ordinal)..report.IndexOf("</html>", StringComparison.Ordinal)]);

        Assert.Equal(2, body.Descendants().Count(element => element.Name.LocalName == "svg"));
        Assert.Contains("<2>", body.Descendants("td").Select(cell => cell.Value));
        Assert.DoesNotContain("<script", report, StringComparison.Ordinal);
        var ids = body.Descendants().Attributes("id").Select(id => id.Value).ToList();
        Assert.Equal(ids.Distinct().Count(), ids.Count);
    }

    [Fact]
    public void The_same_data_gives_the_same_figure()
    {
        static string Draw()
        {
            using var chart = new Chart("t", "x", "y", logX: true, logY: true).Line("a", [1, 10, 100], [1, 2, 3]);
            return chart.Svg();
        }

        Assert.Equal(Draw(), Draw());
    }

    [Fact]
    public void Dashed_and_dotted_lines_are_dashed_by_attributes_and_drawn_the_same_again()
    {
        using var chart = new Chart("t", "x", "y").Line("fit", [1, 2], [1, 2], dashed: true).Line("runs", [1, 2], [2, 1], faint: true).Level("", 1.5);

        var svg = chart.Svg();

        Assert.Contains("stroke-dasharray=\"9 6\"", svg, StringComparison.Ordinal);
        Assert.Contains("stroke-dasharray=\"2 4\"", svg, StringComparison.Ordinal);
        Assert.Contains("stroke-opacity=", svg, StringComparison.Ordinal);      // the faint line keeps its own
        Assert.Equal(svg, chart.Svg());
    }

    [Theory]
    [InlineData(1e18, 1e22, "1e18", "1e20", "1e22")]
    [InlineData(5e7, 2e10, "100M", "500M", "20B")]
    [InlineData(2.1, 3.6, "2.2", "3", "3.4")]
    [InlineData(1e-4, 1e-2, "2e-4", "5e-3", "0.01")]
    public void Logarithmic_axes_have_round_ticks(double low, double high, params string[] labels)
    {
        using var chart = new Chart("t", "x", "y", logX: true).Line("a", [low, high], [1, 2]);
        var texts = XDocument.Parse(chart.Svg()).Descendants().Where(element => element.Name.LocalName == "text").Select(text => text.Value.Trim()).ToList();
        Assert.All(labels, label => Assert.Contains(label, texts));
    }
}
