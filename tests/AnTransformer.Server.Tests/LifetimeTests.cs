using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace AnTransformer.Server.Tests;

/// <summary>Slots, the queue, clients that leave, a server that stops, keys.</summary>
public sealed class LifetimeTests
{
    // Long enough that it is still running when the next request comes; nothing waits for its end.
    private const int Long = 1 << 20;

    [Fact]
    public async Task A_full_queue_refuses_and_a_client_that_leaves_makes_room()
    {
        await using var server = new TestServer { Options = new ServerOptions { Models = [], Slots = 1, MostQueued = 1 } };
        await server.InitializeAsync();
        using var leave = new CancellationTokenSource();
        var running = server.PostAsync("/v1/completions", Endless("first", 64), cancel: leave.Token);
        await WaitAsync(server, "angpt_sequences_waiting", value => value > 0);
        var (status, body) = await server.PostAsync("/v1/completions", Endless("first", 2));
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        RefusalTests.AssertError(body, null);
        // Another model's queue is another.
        await server.CompleteAsync(new { model = "second", prompt = "a", max_tokens = 1 });

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await WaitAsync(server, "angpt_sequences_running", value => value == 0);
        await server.CompleteAsync(new { model = "first", prompt = "a", max_tokens = 1 });
    }

    [Fact]
    public async Task A_stop_finishes_what_runs_and_takes_no_more()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var request = new { model = "first", prompt = "a", max_tokens = 90, n = 100, ignore_eos = true };
        var running = server.StreamAsync(new { request.model, request.prompt, request.max_tokens, request.n, request.ignore_eos, stream = true });
        await WaitAsync(server, "angpt_sequences_running", value => value > 0);
        await server.StopAsync();
        var (chunks, isDone) = await running;
        Assert.True(isDone);
        Assert.Equal(100, chunks.Count(chunk => chunk.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind == JsonValueKind.String));
        await Assert.ThrowsAsync<HttpRequestException>(() => server.Client.GetAsync(new Uri("/health", UriKind.Relative)));
    }

    [Fact]
    public async Task What_does_not_finish_in_time_ends_with_an_error()
    {
        await using var server = new TestServer { Options = new ServerOptions { Models = [], Slots = 1, DrainTime = TimeSpan.Zero } };
        await server.InitializeAsync();
        var running = server.PostAsync("/v1/completions", Endless("first", 128));
        await WaitAsync(server, "angpt_sequences_running", value => value > 0);
        await server.StopAsync();
        // The connection is ended; nobody waits for 128 texts.
        await Assert.ThrowsAsync<HttpRequestException>(() => running);
    }

    [Fact]
    public async Task A_key_is_asked_for_but_for_pages_and_health()
    {
        await using var server = new TestServer { Options = new ServerOptions { Models = [], ApiKey = "sk-right" } };
        await server.InitializeAsync();
        foreach (var (path, isOpen) in ((string, bool)[])[
            ("/health", true), ("/", true), ("/runs", true), ("/page.css", true), ("/v1/models", false), ("/metrics", false),
            ("/tokenizer_info", false), ("/api/runs", false), ("/Health", false), ("//health", false)])
        {
            foreach (var given in (string?[])[null, "sk-wrong", "", "sk-right2", "sk-righ"])
            {
                using var response = await GetAsync(server, path, given);
                Assert.Equal(isOpen ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, response.StatusCode);
                if (isOpen)
                    continue;
                var text = await response.Content.ReadAsStringAsync();
                RefusalTests.AssertError(JsonDocument.Parse(text).RootElement, null);
                Assert.DoesNotContain("sk-", text, StringComparison.Ordinal);
            }
        }

        using var right = await GetAsync(server, "/v1/models", "sk-right");
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_in_one_sentence()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        var options = new ServerOptions { Models = [("a", server.Checkpoint)], Port = new Uri(server.Address).Port };
        var error = await Assert.ThrowsAsync<InvalidInputException>(
            () => Hosting.CompletionServer.StartAsync(options, CancellationToken.None));
        Assert.Contains("--port", error.Message, StringComparison.Ordinal);
        var twice = new ServerOptions { Models = [("a", server.Checkpoint), ("a", server.Checkpoint)] };
        error = await Assert.ThrowsAsync<InvalidInputException>(
            () => Hosting.CompletionServer.StartAsync(twice, CancellationToken.None));
        Assert.Contains("NAME=CHECKPOINT", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_tell_of_tokens_and_times()
    {
        await using var server = new TestServer();
        await server.InitializeAsync();
        await server.CompleteAsync(new { model = "first", prompt = "abcde", max_tokens = 7, ignore_eos = true, n = 2 });
        var text = await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal(14, Value(text, "angpt_generated_tokens"));
        Assert.Equal(10, Value(text, "angpt_prompt_tokens"));
        Assert.Equal(2, Value(text, "angpt_time_to_first_token_seconds_count"));
        Assert.True(Value(text, "http_server_request_duration_seconds_count") > 0);
    }

    private static string Endless(string model, int count)
        => JsonSerializer.Serialize(new { model, prompt = "a", max_tokens = Long, n = count, ignore_eos = true });

    private static async Task<HttpResponseMessage> GetAsync(TestServer server, string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Address + path));
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        return await server.Client.SendAsync(request);
    }

    private static async Task WaitAsync(TestServer server, string metric, Func<double, bool> isReached)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < TimeSpan.FromSeconds(60); await Task.Delay(20))
        {
            if (isReached(Value(await server.Client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), metric)))
                return;
        }

        Assert.Fail($"{metric} never got there.");
    }

    /// <summary>The sum of a metric's samples.</summary>
    private static double Value(string text, string metric)
        => text.Split('\n').Where(line => line.StartsWith(metric, StringComparison.Ordinal) && !line.StartsWith('#'))
            .Where(line => line[metric.Length..] is var rest && (rest[0] is '{' or ' ' || rest.StartsWith("_total", StringComparison.Ordinal)
                || rest.StartsWith("_tokens_total", StringComparison.Ordinal) || rest.StartsWith("_ratio", StringComparison.Ordinal)))
            .Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Trim().Split(' ')[line.Contains('}', StringComparison.Ordinal) ? 0 : 1], null));
}
