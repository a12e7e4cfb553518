using System.Diagnostics;
using System.Text.Json;

namespace AnTransformer.Server.Tests;

/// <summary>
/// The openai package of npm, where Node is installed and <c>npm install</c> was run in <c>clients/</c>.
/// </summary>
public sealed class NodeClientTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Completions_streams_errors_and_usage()
    {
        // Beside the sources, from bin/Release/net10.0.
        var installed = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "clients"));
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(installed, "node_modules", "openai")),
            "The openai package of npm is not installed (npm install in tests/AnTransformer.Server.Tests/clients).");
        var start = new ProcessStartInfo("node", [Path.Combine(installed, "openai.mjs"), server.Address])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await error);

        var seen = JsonDocument.Parse(output).RootElement;
        Assert.Equal(["first", "second"], seen.GetProperty("models").EnumerateArray().Select(name => name.GetString()!));
        var expected = await server.CompleteAsync(new { model = "first", prompt = "It was", max_tokens = 8, seed = 3 });
        Assert.Equal(expected.GetProperty("choices")[0].GetProperty("text").GetString(), seen.GetProperty("text").GetString());
        Assert.Equal(seen.GetProperty("text").GetString(), seen.GetProperty("streamed").GetString());
        Assert.Equal(expected.GetProperty("usage").ToString(), seen.GetProperty("usage").ToString());
        Assert.Equal(seen.GetProperty("usage").ToString(), seen.GetProperty("streamedUsage").ToString());
        Assert.Equal(seen.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), seen.GetProperty("tokens").GetInt32());
        AssertError(seen.GetProperty("range"), "BadRequestError", 400, "temperature");
        AssertError(seen.GetProperty("missing"), "NotFoundError", 404, "model");
        AssertError(seen.GetProperty("chat"), "BadRequestError", 400, "messages");
    }

    private static void AssertError(JsonElement error, string name, int status, string parameter)
    {
        Assert.Equal(name, error.GetProperty("name").GetString());
        Assert.Equal(status, error.GetProperty("status").GetInt32());
        Assert.Equal(parameter, error.GetProperty("param").GetString());
    }
}
