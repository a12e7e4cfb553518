using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using AnTransformer.Architectures;
using AnTransformer.Inspection;
using AnTransformer.Operators;
using AnTransformer.Studies.Inspection;
using static TorchSharp.torch;

namespace AnTransformer.Studies.Tests.Inspection;

public sealed class InspectionReportTests : IDisposable
{
    private static readonly InspectionSource Source = new("run/checkpoints/step-1", null, "data (validation)", 2, "fp32", "angpt inspect run --data data");
    private readonly string _folder = Directory.CreateTempSubdirectory("antransformer-inspection-").FullName;

    public static TheoryData<string> Architectures => new(ArchitectureRegistry.Names);

    [Theory]
    [InlineData("gpt+")]
    [InlineData("angpt")]
    public void A_folder_holds_the_same_figures_in_every_form(string architecture)
    {
        var inspection = Measure(architecture);
        InspectionReport.Save(_folder, Source, inspection);

        var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "inspect.json"))).RootElement;
        Assert.Equal("angpt inspect run --data data", json.GetProperty("command").GetString());
        var activations = Csv("activations.csv");
        Assert.Equal(json.GetProperty("activations").GetArrayLength(), activations.Count);
        for (var i = 0; i < activations.Count; i++)
        {
            var item = json.GetProperty("activations")[i];
            Assert.Equal(item.GetProperty("activation").GetString(), activations[i]["activation"]);
            Assert.Equal(item.GetProperty("norm").GetProperty("mean").GetDouble(), double.Parse(activations[i]["mean"], CultureInfo.InvariantCulture));
        }

        var parameters = Csv("parameters.csv");
        Assert.Equal(inspection.Matrices.Count + inspection.Scales.Count, parameters.Count);
        Assert.All(parameters, line => Assert.NotEqual("", line["mean"]));
        Assert.Equal(8 * 2 - 1, parameters.Count(line => line["amplification"].Length > 0));

        var html = File.ReadAllText(Path.Combine(_folder, "report.html"));
        var body = XDocument.Parse(html[html.IndexOf("<body>", StringComparison.Ordinal)..html.IndexOf("</html>", StringComparison.Ordinal)]);
        var figures = body.Descendants().Count(element => element.Name.LocalName == "svg");
        Assert.Equal(Directory.GetFiles(_folder, "*.png").Length, figures);
        Assert.Equal(Directory.GetFiles(_folder, "*.svg").Length, figures);
        Assert.Contains("angpt inspect run --data data", html, StringComparison.Ordinal);
        Assert.Equal(architecture == "angpt", File.Exists(Path.Combine(_folder, "alpha.svg")));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_table_has_a_cell_under_every_title(string architecture)
    {
        var inspection = Measure(architecture);
        Assert.All(InspectionText.Tables(inspection), table =>
        {
            Assert.NotEmpty(table.Rows);
            Assert.All(table.Rows, row => Assert.Equal(table.Headers.Count, row.Count));
        });
        Assert.All(InspectionText.Findings(inspection), finding => Assert.EndsWith(".", finding, StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_that_has_blown_up_is_reported_too()
    {
        var inspection = Measure("angpt", model => model.Blocks[0].Mlp.UpProj.Weight[0, 0] = float.NaN);
        InspectionReport.Save(_folder, Source, inspection);
        Assert.Contains("\"NaN\"", InspectionJson.Write(Source, inspection), StringComparison.Ordinal);
        Assert.Contains(InspectionText.Tables(inspection)[0].Rows, row => row.Contains("NaN"));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_sentence()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var message = Assert.Throws<InvalidInputException>(() => InspectionReport.Save(Path.Combine(file, "out"), Source, Measure("gpt"))).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ModelInspection Measure(string architecture, Action<LanguageModel>? change = null)
    {
        Native.LibTorch.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = LanguageModel.Create(ArchitectureRegistry.CreateConfig(architecture, 17, 16, 2, 2, 8), ModelContext.Default);
        model.Initialize(1);
        change?.Invoke(model);
        var tokens = arange(2 * 8, dtype: ScalarType.Int64).view(2, 8);
        return ModelInspection.Measure(model, [(tokens, tokens + 1)], cancellation: TestContext.Current.CancellationToken);
    }

    private List<Dictionary<string, string>> Csv(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(_folder, name));
        var headers = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line =>
        {
            var cells = line.Split(',');
            Assert.Equal(headers.Length, cells.Length);
            return headers.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second);
        })];
    }
}
