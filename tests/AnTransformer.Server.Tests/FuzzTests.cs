using System.Net;
using System.Text;
using System.Text.Json;

namespace AnTransformer.Server.Tests;

/// <summary>Requests of every kind of damage are answered, and never with a fault of the server.</summary>
public sealed class FuzzTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Secret = "zq-secret-7";
    private static readonly string[] Paths = ["/v1/completions", "/tokenize", "/detokenize", "/v1/chat/completions"];

    private static readonly string[] Names =
    [
        "model", "prompt", "max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "n", "best_of", "seed", "stop", "echo",
        "logprobs", "stream", "stream_options", "suffix", "logit_bias", "tokens", "ignore_eos", "add_special_tokens", "messages",
        "presence_penalty", "return_token_strs", Secret,
    ];

    [Fact]
    public Task A_thousand_requests() => SendAsync(1000, seed: 1);

    // The documented long form: dotnet run --project tests/AnTransformer.Server.Tests -- -explicit only
    [Fact(Explicit = true)]
    public Task Ten_thousand_requests() => SendAsync(10_000, seed: 2);

    private async Task SendAsync(int count, int seed)
    {
        var random = new Random(seed);
        var bodies = Enumerable.Range(0, count).Select(_ => (Path: Paths[random.Next(8) % 5 % 4], Body: Body(random))).ToList();
        var statuses = new int[600];
        await Parallel.ForEachAsync(bodies, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (item, cancel) =>
        {
            using var content = new ByteArrayContent(item.Body);
            content.Headers.ContentType = new("application/json");
            using var response = await server.Client.PostAsync(new Uri(item.Path, UriKind.Relative), content, cancel);
            var text = await response.Content.ReadAsStringAsync(cancel);
            var status = (int)response.StatusCode;
            Interlocked.Increment(ref statuses[status]);
            Assert.True(status is 200 or 400 or 404 or 429, $"{status} for {Encoding.UTF8.GetString(item.Body)}: {text}");
            if (status != 200)
            {
                RefusalTests.AssertError(JsonDocument.Parse(text).RootElement, null, checksParameter: false);
                Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
            }
        });
        Assert.True(statuses[200] > count / 50, $"{statuses[200]} were answered");
        Assert.True(statuses[400] > count / 4);
        // And it still serves.
        await server.CompleteAsync(new { model = "first", prompt = "a", max_tokens = 1 });
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync(new Uri("/health", UriKind.Relative))).StatusCode);
    }

    private static byte[] Body(Random random)
    {
        var fields = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["model"] = "second",
            ["prompt"] = "It was",
            ["tokens"] = new[] { 1, 2 },
            ["max_tokens"] = 2,
        };
        for (var changes = random.Next(4); changes >= 0; changes--)
            fields[Names[random.Next(Names.Length)]] = Value(random, 0);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(fields);
        // Half of them are damaged as bytes, too.
        for (var damages = random.Next(4) - 1; damages > 0; damages--)
        {
            var at = random.Next(bytes.Length);
            bytes = random.Next(4) switch
            {
                0 => bytes[..at],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                2 => [.. bytes[..at], .. bytes[random.Next(at + 1)..]],
                _ => [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.Next(5))..]],
            };
            if (bytes.Length == 0)
                break;
        }

        return bytes;
    }

    private static object? Value(Random random, int depth) => random.Next(depth > 3 ? 10 : 14) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.Next(-2, 300),
        3 => random.NextInt64(),
        4 => (random.NextDouble() - 0.2) * Math.Pow(10, random.Next(-5, 20)),
        5 => Secret,
        6 => "",
        7 => new string((char)random.Next(1, 0xD800), random.Next(1, 40)),
        8 => "second",
        9 => "\0\n\u2028😀",
        10 => Enumerable.Range(0, random.Next(5)).Select(_ => Value(random, depth + 1)).ToArray(),
        11 => Enumerable.Range(0, random.Next(30)).Select(_ => random.Next(260)).ToArray(),
        12 => Enumerable.Range(0, random.Next(4)).Select(_ => Enumerable.Range(0, random.Next(4)).Select(_ => random.Next(258)).ToArray()).ToArray(),
        _ => new Dictionary<string, object?>(StringComparer.Ordinal) { [random.Next(2) == 0 ? "include_usage" : Secret] = Value(random, depth + 1) },
    };
}
