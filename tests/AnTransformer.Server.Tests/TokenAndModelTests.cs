using System.Net;
using System.Text.Json;

namespace AnTransformer.Server.Tests;

/// <summary>Tokenizers and models as clients ask for them.</summary>
public sealed class TokenAndModelTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Text_to_ids_and_back()
    {
        var (_, body) = await server.PostAsync(
            "/tokenize", """{"model":"first","prompt":"Aé","add_special_tokens":false,"return_token_strs":true}""");
        Assert.Equal([65, 195, 169], Ids(body));
        Assert.Equal(3, body.GetProperty("count").GetInt32());
        Assert.Equal(96, body.GetProperty("max_model_len").GetInt32());
        Assert.Equal("A", body.GetProperty("token_strs")[0].GetString());
        (_, body) = await server.PostAsync("/detokenize", """{"model":"first","tokens":[65,195,169]}""");
        Assert.Equal("Aé", body.GetProperty("prompt").GetString());
    }

    [Fact]
    public async Task The_end_of_a_text_has_its_id_alone_and_is_text_within_a_text()
    {
        var info = await server.GetAsync("/tokenizer_info?model=first");
        var end = info.GetProperty("eos_token").GetString();
        Assert.Equal("<|endoftext|>", end);
        Assert.Equal(256, info.GetProperty("eos_token_id").GetInt32());
        var (_, body) = await server.PostAsync("/tokenize", JsonSerializer.Serialize(new { model = "first", prompt = end }));
        Assert.Equal([256], Ids(body));
        (_, body) = await server.PostAsync("/tokenize", JsonSerializer.Serialize(new { model = "first", prompt = "a" + end }));
        Assert.DoesNotContain(256, Ids(body));
    }

    [Fact]
    public async Task Models_are_listed_and_described()
    {
        var body = await server.GetAsync("/v1/models");
        Assert.Equal(["first", "second"], body.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!));
        var one = await server.GetAsync("/v1/models/second");
        Assert.Equal("gpt+", one.GetProperty("architecture").GetString());
        Assert.Equal(24, one.GetProperty("max_model_len").GetInt32());
        Assert.Equal("model", one.GetProperty("object").GetString());
        Assert.True(one.GetProperty("created").GetInt64() > 1_700_000_000);
    }

    [Fact]
    public async Task Pages_are_whole_and_load_nothing_from_elsewhere()
    {
        foreach (var path in (string[])["/", "/runs", "/page.css", "/client.js", "/tokens.js", "/index.js", "/runs.js", "/chart.js", "/icon.svg"])
        {
            using var response = await server.Client.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Contains("frame-ancestors 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            var text = await response.Content.ReadAsStringAsync();
            Assert.DoesNotContain("https://", text, StringComparison.Ordinal);
            Assert.DoesNotContain("innerHTML", text, StringComparison.Ordinal);
        }
    }

    private static int[] Ids(JsonElement body) => [.. body.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32())];
}
