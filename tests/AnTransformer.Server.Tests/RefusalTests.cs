using System.Net;
using System.Text;
using System.Text.Json;

namespace AnTransformer.Server.Tests;

/// <summary>What cannot be answered is refused in one sentence of OpenAI's shape, which never repeats what was sent.</summary>
public sealed class RefusalTests(TestServer server) : IClassFixture<TestServer>
{
    [Theory]
    [InlineData("""{"model":"first"}""", 400, "prompt")]
    [InlineData("""{"prompt":"a"}""", 400, "model")]
    [InlineData("""{"model":"zzz-secret","prompt":"a"}""", 404, "model")]
    [InlineData("""{"model":7,"prompt":"a"}""", 400, "model")]
    [InlineData("""{"model":"first","prompt":{"zzz-secret":1}}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[1,"zzz-secret"]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[257]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[-1]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[1.5]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":[[1],[99999999999]]}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":"\ud800"}""", 400, "prompt")]
    [InlineData("""{"model":"first","prompt":"a","max_tokens":-1}""", 400, "max_tokens")]
    [InlineData("""{"model":"first","prompt":"a","max_tokens":"zzz-secret"}""", 400, "max_tokens")]
    [InlineData("""{"model":"first","prompt":"a","max_tokens":1e300}""", 400, "max_tokens")]
    [InlineData("""{"model":"first","prompt":"a","temperature":-0.1}""", 400, "temperature")]
    [InlineData("""{"model":"first","prompt":"a","temperature":2.1}""", 400, "temperature")]
    [InlineData("""{"model":"first","prompt":"a","temperature":1e999}""", 400, "temperature")]
    [InlineData("""{"model":"first","prompt":"a","top_p":1.1}""", 400, "top_p")]
    [InlineData("""{"model":"first","prompt":"a","min_p":2}""", 400, "min_p")]
    [InlineData("""{"model":"first","prompt":"a","repetition_penalty":0}""", 400, "repetition_penalty")]
    [InlineData("""{"model":"first","prompt":"a","logprobs":21}""", 400, "logprobs")]
    [InlineData("""{"model":"first","prompt":"a","logprobs":true}""", 400, "logprobs")]
    [InlineData("""{"model":"first","prompt":"a","n":0}""", 400, "n")]
    [InlineData("""{"model":"first","prompt":["a","b"],"n":65}""", 400, "n")]
    [InlineData("""{"model":"first","prompt":"a","n":2,"best_of":3}""", 400, "best_of")]
    [InlineData("""{"model":"first","prompt":"a","seed":"zzz-secret"}""", 400, "seed")]
    [InlineData("""{"model":"first","prompt":"a","stop":["a",1]}""", 400, "stop")]
    [InlineData("""{"model":"first","prompt":"a","stop":["1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","17"]}""", 400, "stop")]
    [InlineData("""{"model":"first","prompt":"a","stream":"zzz-secret"}""", 400, "stream")]
    [InlineData("""{"model":"first","prompt":"a","stream_options":{"include_usage":true}}""", 400, "stream_options")]
    [InlineData("""{"model":"first","prompt":"a","suffix":"zzz-secret"}""", 400, "suffix")]
    [InlineData("""{"model":"first","prompt":"a","logit_bias":{"50256":-100}}""", 400, "logit_bias")]
    [InlineData("""{"model":"first","prompt":"a","presence_penalty":0.5}""", 400, "presence_penalty")]
    [InlineData("""{"model":"first","prompt":"a","model":"second"}""", 400, null)]
    [InlineData("""["zzz-secret"]""", 400, null)]
    [InlineData("""{"zzz-secret""", 400, null)]
    [InlineData("", 400, null)]
    [InlineData("""[[[[[[[[[[1]]]]]]]]]]""", 400, null)]
    public async Task A_request_that_cannot_be_answered(string json, int status, string? parameter)
    {
        var (actual, body) = await server.PostAsync("/v1/completions", json);
        Assert.Equal(status, (int)actual);
        AssertError(body, parameter);
    }

    [Theory]
    [InlineData("""{"model":"first"}""", "/tokenize", "prompt")]
    [InlineData("""{"model":"first","prompt":["zzz-secret"]}""", "/tokenize", "prompt")]
    [InlineData("""{"model":"first"}""", "/detokenize", "tokens")]
    [InlineData("""{"model":"first","tokens":[257]}""", "/detokenize", "tokens")]
    [InlineData("""{"model":"first","tokens":"zzz-secret"}""", "/detokenize", "tokens")]
    [InlineData("""{"model":"first","messages":[{"role":"user","content":"zzz-secret"}]}""", "/v1/chat/completions", "messages")]
    public async Task The_same_of_other_addresses(string json, string path, string parameter)
    {
        var (status, body) = await server.PostAsync(path, json);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        AssertError(body, parameter);
    }

    [Fact]
    public async Task Fields_that_ask_for_nothing_are_no_fault()
        => await server.CompleteAsync(new
        {
            model = "first",
            prompt = "a",
            max_tokens = 1.0,
            suffix = (string?)null,
            logit_bias = new { },
            presence_penalty = 0,
            frequency_penalty = 0.0,
            stop = "",
            user = "somebody",
            best_of = 1,
            top_k = -1,
            seed = long.MaxValue,
            unknown = 1,
        });

    [Fact]
    public async Task Only_JSON_is_read_so_that_pages_of_other_sites_cannot_send_it()
    {
        foreach (var type in (string[])["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
        {
            var (status, body) = await server.PostAsync("/v1/completions", """{"model":"first","prompt":"a"}""", type);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, status);
            AssertError(body, null);
        }

        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/completions");
        preflight.Headers.Add("Origin", "https://example.org");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using var response = await server.Client.SendAsync(preflight);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_not_read()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent($$"""{"prompt":"{{new string('a', 5 << 20)}}"}""", Encoding.UTF8, "application/json"),
        };
        // Asked first, a client need not be cut off in the middle of what nobody reads.
        request.Headers.ExpectContinue = true;
        using var response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        AssertError(JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement, null);
    }

    [Fact]
    public async Task Nothing_lies_at_other_addresses()
    {
        foreach (var (method, path, expected) in ((HttpMethod, string, int)[])[
            (HttpMethod.Get, "/zzz-secret", 404), (HttpMethod.Get, "/v1/completions", 405), (HttpMethod.Delete, "/v1/models", 405),
            (HttpMethod.Get, "/v1/models/zzz-secret", 404), (HttpMethod.Get, "/../../etc/passwd", 404), (HttpMethod.Get, "/api/runs", 404)])
        {
            using var request = new HttpRequestMessage(method, path);
            using var response = await server.Client.SendAsync(request);
            Assert.Equal(expected, (int)response.StatusCode);
            AssertError(JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement, null, checksParameter: false);
        }
    }

    [Theory]
    [InlineData("evil.example", 403)]
    [InlineData("evil.example:80", 403)]
    [InlineData("127.0.0.1.evil.example", 403)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:9", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("[::1]:8080", 200)]
    public async Task Host_names_are_checked(string host, int expected)
    {
        foreach (var path in (string[])["/health", "/", "/v1/models"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = host;
            using var response = await server.Client.SendAsync(request);
            Assert.Equal(expected, (int)response.StatusCode);
        }
    }

    internal static void AssertError(JsonElement body, string? parameter, bool checksParameter = true)
    {
        var error = body.GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(field => field.Name));
        var message = error.GetProperty("message").GetString()!;
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.DoesNotContain("secret", body.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", message, StringComparison.Ordinal);
        if (checksParameter)
            Assert.Equal(parameter, error.GetProperty("param").GetString());
    }
}
