using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using AnTransformer.Server.Hosting;

namespace AnTransformer.Server.Tests;

/// <summary>A server with two small models on a free port, and a client of it.</summary>
public sealed class TestServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-server-").FullName;
    private CompletionServer? _server;

    /// <summary>The first model's directory.</summary>
    internal string Checkpoint { get; private set; } = "";

    public string Folder => _folder;

    internal string Address => _server!.Address;

    internal HttpClient Client { get; private set; } = new();

    internal ServerOptions Options { get; init; } = new() { Models = [] };

    public async ValueTask InitializeAsync()
    {
        Checkpoint = TestModel.Save(_folder, "first");
        var second = TestModel.Save(_folder, "second", seed: 4, context: 24, architecture: "gpt+");
        _server = await CompletionServer.StartAsync(
            Options with { Models = [("first", Checkpoint), ("second", second)], Port = 0 }, CancellationToken.None);
        Client = new HttpClient { BaseAddress = new Uri(Address) };
    }

    internal Task StopAsync() => _server!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    internal async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(
        string path, string json, string type = "application/json", CancellationToken cancel = default)
    {
        using var content = new StringContent(json, Encoding.UTF8, MediaTypeHeaderValue.Parse(type));
        using var response = await Client.PostAsync(new Uri(path, UriKind.Relative), content, cancel);
        var text = await response.Content.ReadAsStringAsync(cancel);
        return (response.StatusCode, JsonDocument.Parse(text).RootElement);
    }

    internal async Task<JsonElement> CompleteAsync(object request)
    {
        var (status, body) = await PostAsync("/v1/completions", JsonSerializer.Serialize(request));
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return body;
    }

    internal async Task<JsonElement> GetAsync(string path)
        => JsonDocument.Parse(await Client.GetStringAsync(new Uri(path, UriKind.Relative))).RootElement;

    /// <summary>Chunks of a stream, and whether it ended as it should.</summary>
    internal async Task<(List<JsonElement> Chunks, bool IsDone)> StreamAsync(object request)
    {
        using var content = new StringContent(JsonSerializer.Serialize(request), Encoding.UTF8, "application/json");
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = content };
        using var response = await Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var chunks = new List<JsonElement>();
        var isDone = false;
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        foreach (var line in events)
        {
            Assert.StartsWith("data: ", line, StringComparison.Ordinal);
            Assert.False(isDone);
            if (line == "data: [DONE]")
                isDone = true;
            else
                chunks.Add(JsonDocument.Parse(line["data: ".Length..]).RootElement);
        }

        return (chunks, isDone);
    }
}
