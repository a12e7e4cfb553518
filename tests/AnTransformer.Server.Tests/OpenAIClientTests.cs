using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OpenAI;

namespace AnTransformer.Server.Tests;

/// <summary>
/// The OpenAI package of NuGet: its models client, its errors and its pipeline. It has no public client of completions;
/// that of npm has (<see cref="NodeClientTests"/>).
/// </summary>
public sealed class OpenAIClientTests(TestServer server) : IClassFixture<TestServer>
{
    private OpenAIClient Client => new(
        new ApiKeyCredential("unused"),
        new OpenAIClientOptions { Endpoint = new Uri(server.Address + "/v1"), RetryPolicy = new ClientRetryPolicy(0) });

    [Fact]
    public async Task Models()
    {
        var models = await Client.GetOpenAIModelClient().GetModelsAsync();
        Assert.Equal(["first", "second"], models.Value.Select(model => model.Id));
        var model = await Client.GetOpenAIModelClient().GetModelAsync("second");
        Assert.Equal("antransformer", model.Value.OwnedBy);
    }

    [Fact]
    public async Task Errors_have_their_status_and_sentence()
    {
        var missing = await Assert.ThrowsAsync<ClientResultException>(() => Client.GetOpenAIModelClient().GetModelAsync("none"));
        Assert.Equal(404, missing.Status);
        Assert.Contains("model_not_found", missing.Message, StringComparison.Ordinal);
        var chat = await Assert.ThrowsAsync<ClientResultException>(() => Client.GetChatClient("first").CompleteChatAsync("Hello"));
        Assert.Equal(400, chat.Status);
        Assert.Contains("no chat template", chat.Message, StringComparison.Ordinal);
        Assert.Contains("/v1/completions", chat.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_completion_through_its_pipeline()
    {
        var pipeline = Client.Pipeline;
        using var message = pipeline.CreateMessage(
            new Uri(server.Address + "/v1/completions"), "POST", PipelineMessageClassifier.Create([200]));
        message.Request.Headers.Set("Content-Type", "application/json");
        message.Request.Content = BinaryContent.Create(BinaryData.FromString(
            """{"model":"first","prompt":"It was","max_tokens":3,"temperature":0}"""));
        await pipeline.SendAsync(message);
        using var document = JsonDocument.Parse(message.Response!.Content);
        Assert.Equal(3, document.RootElement.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }
}
