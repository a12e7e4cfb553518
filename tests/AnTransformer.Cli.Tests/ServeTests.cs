using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace AnTransformer.Cli.Tests;

/// <summary><c>angpt serve</c> as a process: what it prints, whom it answers, how it ends.</summary>
public sealed class ServeTests(CommandTests.TrainedModel model) : IClassFixture<CommandTests.TrainedModel>
{
    private readonly Angpt _angpt = model.Angpt;

    [Fact]
    public async Task It_answers_like_generate_and_score_and_ends_when_asked_to()
    {
        var text = _angpt.Run("generate", "run", "--prompt", "the cat", "--max-tokens", "12", "--temperature", "0", "--json")
            .AssertSucceeded().Json.GetProperty("text").GetString();
        var ids = new[] { 5, 9, 3, 70, 8 };
        var scores = _angpt.Run("score", "run", "--tokens", string.Join(',', ids), "--json").AssertSucceeded().Json
            .GetProperty("logprobs").EnumerateArray().Skip(1).Select(value => value.GetDouble()).ToList();

        using var process = _angpt.Start("serve", "run", "again=run", "--port", "0", "--runs", ".");
        var line = await process.StandardOutput.ReadLineAsync();
        Assert.StartsWith("run, again at http://127.0.0.1:", line, StringComparison.Ordinal);
        using var client = new HttpClient { BaseAddress = new Uri(line![line!.IndexOf("http", StringComparison.Ordinal)..]) };
        var completed = await PostAsync(client, new { model = "run", prompt = "the cat", max_tokens = 12, temperature = 0 });
        Assert.Equal(text, completed.GetProperty("choices")[0].GetProperty("text").GetString());
        var scored = await PostAsync(
            client, new { model = "again", prompt = ids, max_tokens = 0, echo = true, logprobs = 1, temperature = 0 });
        var logprobs = scored.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Skip(1)
            .Select(value => value.GetDouble()).ToList();
        Assert.Equal(scores.Count, logprobs.Count);
        for (var i = 0; i < scores.Count; i++)
            Assert.Equal(scores[i], logprobs[i], 2e-5);
        var runs = JsonDocument.Parse(await client.GetStringAsync(new Uri("/api/runs", UriKind.Relative))).RootElement.GetProperty("runs");
        Assert.Equal("run", runs[0].GetProperty("name").GetString());
        Assert.True(runs[0].GetProperty("step").GetInt32() > 0);

        Signals.Send(process, Signals.Terminate);
        var result = Angpt.Wait(process);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("those that run are finished", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_comes_from_a_file_or_a_variable_and_is_never_shown()
    {
        await File.WriteAllTextAsync(_angpt.In("key"), "sk-from-file\n");
        using var process = _angpt.Start("serve", "run", "--port", "0", "--api-key-file", "key");
        var line = await process.StandardOutput.ReadLineAsync();
        using var client = new HttpClient { BaseAddress = new Uri(line![line!.IndexOf("http", StringComparison.Ordinal)..]) };
        using var refused = await client.GetAsync(new Uri("/v1/models", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        client.DefaultRequestHeaders.Authorization = new("Bearer", "sk-from-file");
        using var answered = await client.GetAsync(new Uri("/v1/models", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        Signals.Send(process, Signals.Terminate);       // SIGINT is ignored in what a shell starts in the background
        var result = Angpt.Wait(process);
        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("sk-from-file", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_served_is_said_in_one_sentence()
    {
        File.WriteAllText(_angpt.In("empty-key"), "\n");
        _angpt.Run("serve").AssertRejected("serve --help");
        _angpt.Run("serve", "nothing").AssertRejected("nothing", "no such directory");
        _angpt.Run("serve", "name=").AssertRejected("name=", "NAME=DIR");
        _angpt.Run("serve", "run", "run").AssertRejected("two models are called run", "NAME=CHECKPOINT");
        _angpt.Run("serve", "run", "--host", "nowhere.example").AssertRejected("--host", "no IP address");
        _angpt.Run("serve", "run", "--host", "203.0.113.7", "--port", "0").AssertRejected("203.0.113.7", "--host");
        _angpt.Run("serve", "run", "--port", "70000").AssertRejected("--port");
        _angpt.Run("serve", "run", "--slots", "0").AssertRejected("--slots");
        _angpt.Run("serve", "run", "--runs", "nowhere").AssertRejected("--runs nowhere", "no such directory");
        _angpt.Run("serve", "run", "--api-key-file", "empty-key").AssertRejected("empty-key", "empty");
        _angpt.Run("serve", "run", "--api-key-file", "no-key").AssertRejected("no-key", "cannot be read");
        _angpt.Run("serve", "run", "--dtype", "f8").AssertRejected("--dtype", "f32");
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, object request)
    {
        using var response = await client.PostAsJsonAsync(new Uri("/v1/completions", UriKind.Relative), request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }
}
