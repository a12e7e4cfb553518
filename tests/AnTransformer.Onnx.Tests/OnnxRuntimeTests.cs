using AnTransformer.Export;
using AnTransformer.Export.Onnx;

namespace AnTransformer.Onnx.Tests;

/// <summary>ONNX Runtime computes what an independent float64 program did, for every architecture and shape of attention.</summary>
public sealed class OnnxRuntimeTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private readonly string _folder = Directory.CreateTempSubdirectory("onnx-test-").FullName;

    public static TheoryData<string> Names => Fixture.Names;

    public static TheoryData<string> Causal => [.. Names.Select(row => row.Data).Where(name => !name.Contains("bidirectional", StringComparison.Ordinal))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_of_whole_sequences_agree(string name)
    {
        using var fixture = new Fixture(name);
        using var model = Export(fixture);
        var logits = model.Read(fixture.Tokens);
        for (var row = 0; row < logits.Length; row++)
            AssertClose(fixture.Logits[row], logits[row]);
    }

    [Theory]
    [MemberData(nameof(Causal))]
    public void In_chunks_and_token_by_token_nothing_changes(string name)
    {
        using var fixture = new Fixture(name);
        using var model = Export(fixture);
        var length = fixture.Tokens[0].Length;
        foreach (var chunk in (int[])[1, 2, 5])
        {
            model.Reset();
            var logits = fixture.Tokens.Select(_ => new List<float>()).ToArray();
            for (var start = 0; start < length; start += chunk)
            {
                var part = model.Read([.. fixture.Tokens.Select(row => row.Skip(start).Take(chunk).ToArray())]);
                for (var row = 0; row < part.Length; row++)
                    logits[row].AddRange(part[row]);
            }

            for (var row = 0; row < logits.Length; row++)
                AssertClose(fixture.Logits[row], logits[row]);
        }
    }

    /// <summary>A batch of two: the whole sequence, and its beginning behind padding; then each goes on token by token.</summary>
    [Theory]
    [MemberData(nameof(Causal))]
    public void Padding_at_the_left_is_not_seen(string name)
    {
        using var fixture = new Fixture(name);
        using var model = Export(fixture);
        var (tokens, vocabulary) = (fixture.Tokens[0], fixture.Config.VocabSize);
        var (first, second) = (tokens.Length - 2, tokens.Length - 5);
        var padding = first - second;
        long[][] batch = [tokens[..first], [.. Enumerable.Repeat(0L, padding), .. tokens[..second]]];
        long[][] mask = [[.. Enumerable.Repeat(1L, first)], [.. Enumerable.Repeat(0L, padding), .. Enumerable.Repeat(1L, second)]];
        long[][] positions =
        [
            [.. Enumerable.Range(0, first).Select(i => (long)i)],
            [.. Enumerable.Repeat(1L, padding), .. Enumerable.Range(0, second).Select(i => (long)i)],
        ];
        var logits = model.Read(batch, mask, positions);
        AssertClose(fixture.Logits[0][..(first * vocabulary)], logits[0]);
        AssertClose(fixture.Logits[0][..(second * vocabulary)], logits[1][(padding * vocabulary)..]);
        for (var step = 0; step < 2; step++)
        {
            mask = [.. mask.Select(row => row.Append(1).ToArray())];
            logits = model.Read([[tokens[first + step]], [tokens[second + step]]], mask, [[first + step], [second + step]]);
            AssertClose(Row(first + step), logits[0]);
            AssertClose(Row(second + step), logits[1]);
        }

        float[] Row(int position) => fixture.Logits[0][(position * vocabulary)..((position + 1) * vocabulary)];
    }

    [Fact]
    public void What_sees_all_tokens_has_no_past_and_skips_padding_on_either_side()
    {
        using var fixture = new Fixture("gpt-plus-bidirectional");
        using var model = Export(fixture);
        Assert.Equal(["attention_mask", "input_ids", "position_ids"], model.Inputs.Order(StringComparer.Ordinal));
        Assert.Equal(["logits"], model.Outputs);
        Assert.False(File.Exists(Path.Combine(_folder, "out", "genai_config.json")));
        var tokens = fixture.Tokens[0];
        var positions = Enumerable.Range(0, tokens.Length).Select(i => (long)i).ToArray();
        var logits = model.Read(
            [[0, .. tokens, 0]],
            [[0, .. Enumerable.Repeat(1L, tokens.Length), 0]],
            [[0, .. positions, 0]])[0];
        AssertClose(fixture.Logits[0], logits[fixture.Config.VocabSize..^fixture.Config.VocabSize]);
    }

    [Theory]
    [InlineData("angpt")]
    [InlineData("angpt-tied")]
    [InlineData("gpt-plus-grouped")]
    public void Matrices_of_half_precision_are_close(string name)
    {
        using var fixture = new Fixture(name);
        using var model = Export(fixture, ExportDtype.F16);
        var logits = model.Read(fixture.Tokens);
        AssertClose(fixture.Logits[0], logits[0], 2e-2);
        Assert.InRange(Size(), 1, 0.75 * Size(Written("whole", fixture, ExportDtype.F32)));

        double Size(string? path = null) => new FileInfo(Path.Combine(path ?? Path.Combine(_folder, "out"), "onnx", "model.onnx")).Length;
    }

    /// <summary>More tensors than one file may have are beside it, at pages; here more than a few bytes are.</summary>
    [Theory]
    [InlineData("angpt")]
    [InlineData("angpt-tied")]
    public void Tensors_in_a_file_of_their_own_are_the_same(string name)
    {
        using var fixture = new Fixture(name);
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "onnx")).FullName;
        using (var source = ExportSource.Open(fixture.Directory, TestContext.Current.CancellationToken))
        {
            var graph = OnnxDecoder.Build(source.Graph, source.Rows, ExportDtype.F32);
            Assert.True(OnnxFile.Write(Path.Combine(folder, "model.onnx"), graph, largestInline: 1000));
        }

        Assert.True(new FileInfo(Path.Combine(folder, "model.onnx_data")).Length > new FileInfo(Path.Combine(folder, "model.onnx")).Length);
        using var model = new OnnxModel(_folder, fixture.Config);
        AssertClose(fixture.Logits[0], model.Read(fixture.Tokens)[0]);
    }

    [Theory]
    [InlineData("angpt", ExportDtype.F32, false)]
    [InlineData("angpt", ExportDtype.F16, true)]
    [InlineData("angpt-tied", ExportDtype.F32, true)]
    public void Interpolations_are_folded_where_that_costs_nothing(string name, ExportDtype dtype, bool remain)
    {
        using var fixture = new Fixture(name);
        var bytes = File.ReadAllBytes(Path.Combine(Written("out", fixture, dtype), "onnx", "model.onnx"));
        Assert.Equal(remain, bytes.AsSpan().IndexOf("mlp.update.keep"u8) >= 0);
    }

    [Fact]
    public void Names_are_those_that_programs_expect()
    {
        using var fixture = new Fixture("gpt-plus-grouped");
        using var model = Export(fixture);
        string[] states = [.. Enumerable.Range(0, 2).SelectMany(layer => (string[])[$"{layer}.key", $"{layer}.value"])];
        Assert.Equal(
            ["attention_mask", "input_ids", .. states.Select(state => "past_key_values." + state), "position_ids"],
            model.Inputs.Order(StringComparer.Ordinal));
        Assert.Equal(["logits", .. states.Select(state => "present." + state)], model.Outputs.Order(StringComparer.Ordinal));
        foreach (var file in (string[])["config.json", "genai_config.json", "generation_config.json", "onnx/model.onnx"])
            Assert.True(File.Exists(Path.Combine(_folder, "out", file)), file);
    }

    private OnnxModel Export(Fixture fixture, ExportDtype dtype = ExportDtype.F32) => new(Written("out", fixture, dtype), fixture.Config);

    private string Written(string name, Fixture fixture, ExportDtype dtype)
    {
        var target = Path.Combine(_folder, name);
        ModelExport.Write(fixture.Directory, target, ExporterRegistry.Get("onnx"), dtype, stop: TestContext.Current.CancellationToken);
        return target;
    }

    private static void AssertClose(float[] expected, IReadOnlyList<float> actual, double tolerance = Tolerance)
    {
        Assert.Equal(expected.Length, actual.Count);
        var error = expected.Zip(actual, (one, other) => (double)Math.Abs(one - other)).Max();
        Assert.True(error <= tolerance, $"differs by {error}");
    }
}
