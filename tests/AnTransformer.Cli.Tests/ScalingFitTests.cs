using System.Globalization;
using System.Text;
using System.Text.Json;

namespace AnTransformer.Cli.Tests;

public sealed class ScalingFitTests : IDisposable
{
    private readonly Angpt _angpt = new();

    public ScalingFitTests()
    {
        // LibTorch is not needed: with a folder that does not exist, whatever touches it fails.
        _angpt.Variables["ANTRANSFORMER_LIBTORCH"] = _angpt.In("no-such-folder");
        File.WriteAllText(_angpt.In("runs.csv"), Table());
    }

    [Fact]
    public void A_published_law_is_found_in_a_table_with_columns_of_its_own()
    {
        var result = _angpt.Run("scaling", "fit", "runs.csv", "--params", "Model Size", "--flops", "training flop", "--loss", "loss", "--resamples", "30", "--json").AssertSucceeded();

        var fit = result.Json.GetProperty("groups")[0].GetProperty("parametric");
        Assert.Equal(1.8172, fit.GetProperty("E").GetDouble(), 0.01);
        Assert.Equal(0.3478, fit.GetProperty("alpha").GetDouble(), 0.01);
        Assert.Equal(0.3658, fit.GetProperty("beta").GetDouble(), 0.01);
        Assert.Equal(0.5126, fit.GetProperty("parameters_exponent").GetDouble(), 0.01);
        Assert.InRange(0.5126, fit.GetProperty("intervals").GetProperty("parameters_exponent")[0].GetDouble(), fit.GetProperty("intervals").GetProperty("parameters_exponent")[1].GetDouble());
        Assert.Equal(0, fit.GetProperty("failed_resamples").GetInt32());
        Assert.NotEqual(JsonValueKind.Null, result.Json.GetProperty("groups")[0].GetProperty("compute").ValueKind);
    }

    [Fact]
    public void A_report_is_written_with_figures_settings_and_the_command()
    {
        var result = _angpt.Run(
            "scaling", "fit", "runs.csv", "--params", "Model Size", "--flops", "Training FLOP", "--group", "arch", "--resamples", "20", "--seed", "3",
            "--compute", "1e21", "1e24", "-o", "out").AssertSucceeded();

        Assert.DoesNotContain("path effect", result.Error, StringComparison.Ordinal);
        Assert.Contains("| α ", result.Output, StringComparison.Ordinal);
        Assert.Contains("1e24 *", result.Output, StringComparison.Ordinal);
        foreach (var name in new[] { "groups", "fit-gpt+", "isoflop-angpt", "residuals-angpt", "compute-gpt+" })
        {
            Assert.True(File.Exists(_angpt.In("out", name + ".png")), name);
            Assert.True(File.Exists(_angpt.In("out", name + ".svg")), name);
        }

        var report = File.ReadAllText(_angpt.In("out", "report.html"));
        Assert.Contains("--params &#39;Model Size&#39;", report, StringComparison.Ordinal);
        Assert.Contains("seed 3", report, StringComparison.Ordinal);
        var fit = JsonDocument.Parse(File.ReadAllText(_angpt.In("out", "fit.json"))).RootElement;
        Assert.Equal(2, fit.GetProperty("groups").GetArrayLength());
        Assert.Equal(3, fit.GetProperty("settings").GetProperty("seed").GetInt32());
        Assert.Contains(fit.GetProperty("comparisons").EnumerateArray(), row => row.GetProperty("exponent").GetString() == "parametric.parameters_exponent");
    }

    [Fact]
    public void A_law_of_compute_needs_compute_and_loss_only()
    {
        var lines = Enumerable.Range(0, 6).Select(i => Math.Pow(10, 17 + i)).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c:r};{1.5 + (900 * Math.Pow(c, -0.15)):r}"));
        File.WriteAllText(_angpt.In("compute.csv"), "C;L\n" + string.Join('\n', lines));

        var compute = _angpt.Run("scaling", "fit", "compute.csv", "--law", "power", "--flops", "C", "--loss", "L", "--resamples", "0", "--json").AssertSucceeded()
            .Json.GetProperty("groups")[0].GetProperty("compute");

        Assert.Equal(0.15, compute.GetProperty("gamma").GetDouble(), 1e-4);
        Assert.Equal(1.5, compute.GetProperty("floor").GetDouble(), 1e-4);
    }

    [Fact]
    public void Bad_input_is_refused_with_one_sentence()
    {
        _angpt.Run("scaling", "fit", "nowhere.csv").AssertRejected("nowhere.csv", "no such file");
        _angpt.Run("scaling", "fit", "runs.csv", "--params", "Model Sise", "--flops", "Training FLOP").AssertRejected("did you mean 'Model Size'");
        _angpt.Run("scaling", "fit", "runs.csv").AssertRejected("no column 'params'", "--params");
        _angpt.Run("scaling", "fit", "runs.csv", "--delta", "0").AssertRejected("--delta");
        _angpt.Run("scaling", "fit", "runs.csv", "--compute", "-1").AssertRejected("--compute");
        _angpt.Run("scaling", "fit", "runs.csv", "--parms", "N").AssertRejected("--params");
        File.WriteAllText(_angpt.In("bad.csv"), "params,tokens,loss\n1e6,1e7,4\n1e6,2e7,fast\n");
        _angpt.Run("scaling", "fit", "bad.csv").AssertRejected("bad.csv:3", "'loss'", "fast");
        File.WriteAllText(_angpt.In("few.csv"), "params,tokens,loss\n1e6,1e7,4\n1e6,2e7,3\n");
        _angpt.Run("scaling", "fit", "few.csv").AssertRejected("few.csv", "at least 6 rows");
    }

    public void Dispose() => _angpt.Dispose();

    /// <summary>Runs as Besiroglu et al. (2024) have them: the law they fit, 0.1 % noise, sizes and compute, other columns.</summary>
    private static string Table()
    {
        var random = new Random(5);
        var text = new StringBuilder("\uFEFFx,Model Size,color,Training FLOP,arch,loss\r\n");
        foreach (var compute in new[] { 6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21 })
        {
            for (var i = 0; i < 10; i++)
            {
                var n = 0.1196 * Math.Pow(compute / 6, 0.5126) * Math.Pow(10, (i / 6.0) - 0.75);
                var loss = 1.8172 + (482.01 * Math.Pow(n, -0.3478)) + (2085.43 * Math.Pow(compute / (6 * n), -0.3658));
                var noisy = loss * (1 + (0.002 * (random.NextDouble() - 0.5)));
                text.Append(CultureInfo.InvariantCulture, $"{i},{n:r},\"#fae,bdd\",{compute:e},{(i % 2 == 0 ? "gpt+" : "angpt")},{noisy:r}\r\n");
            }
        }

        return text.ToString();
    }
}
