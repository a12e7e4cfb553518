using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace AnTransformer.Benchmarks;

/// <summary>
/// A server under load: <c>serve ADDRESS [SECONDS [PROCESS]]</c>. First tokens per second of 1, 2, 4, 8, 16 clients at a time, in
/// rounds that take turns; then, for SECONDS, 64 clients with prompts and lengths of all sizes, one in twenty of which leave in the
/// middle, beside the memory of the server's PROCESS.
/// </summary>
internal static class ServerBenchmark
{
    private const int Rounds = 5;
    private const int Length = 64;
    private static readonly int[] Streams = [1, 2, 4, 8, 16];

    public static async Task<int> RunAsync(string[] arguments)
    {
        using var client = new HttpClient { BaseAddress = new Uri(arguments[0]), Timeout = Timeout.InfiniteTimeSpan };
        var models = await client.GetFromJsonAsync<JsonElement>(new Uri("/v1/models", UriKind.Relative));
        var model = models.GetProperty("data")[0].GetProperty("id").GetString()!;
        var context = models.GetProperty("data")[0].GetProperty("max_model_len").GetInt32();
        await MeasureAsync(client, model, 2);
        var rates = Streams.ToDictionary(streams => streams, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var streams in round % 2 == 0 ? Streams : Streams.Reverse())
                rates[streams].Add(await MeasureAsync(client, model, streams));
        }

        var one = Median(rates[1]);
        foreach (var (streams, list) in rates)
            Print($"{streams,3} streams: {Median(list),8:f1} tokens/s ({list.Min():f1} to {list.Max():f1}), {Median(list) / one:f2} times one's");
        if (arguments.Length > 1)
            await LoadAsync(client, model, context, double.Parse(arguments[1], CultureInfo.InvariantCulture), arguments.ElementAtOrDefault(2));
        return 0;
    }

    /// <summary>Tokens per second of clients that each ask once.</summary>
    private static async Task<double> MeasureAsync(HttpClient client, string model, int streams)
    {
        var clock = Stopwatch.StartNew();
        var drawn = await Task.WhenAll(Enumerable.Range(0, streams).Select(
            i => CompleteAsync(client, new { model, prompt = "It was", max_tokens = Length, seed = i, ignore_eos = true })));
        return drawn.Sum() / clock.Elapsed.TotalSeconds;
    }

    private static async Task LoadAsync(HttpClient client, string model, int context, double seconds, string? process)
    {
        var (clock, tokens, requests, errors, left) = (Stopwatch.StartNew(), 0L, 0, 0, 0);
        var latencies = new List<double>();
        using var server = process is null ? null : Process.GetProcessById(int.Parse(process, CultureInfo.InvariantCulture));
        var clients = Enumerable.Range(0, 64).Select(async i =>
        {
            var random = new Random(i);
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                var request = new
                {
                    model,
                    prompt = Enumerable.Range(0, 1 + random.Next(context / 2)).Select(_ => random.Next(200)).ToArray(),
                    max_tokens = 1 + random.Next(context / 2),
                    seed = i,
                    n = 1 + (random.Next(8) / 7),
                };
                using var leave = new CancellationTokenSource();
                var leaves = random.Next(20) == 0;
                if (leaves)
                    leave.CancelAfter(random.Next(1, 2000));
                var start = clock.Elapsed;
                try
                {
                    Interlocked.Add(ref tokens, await CompleteAsync(client, request, leave.Token));
                    lock (latencies)
                        latencies.Add((clock.Elapsed - start).TotalSeconds);
                    Interlocked.Increment(ref requests);
                }
                catch (OperationCanceledException) when (leaves)
                {
                    Interlocked.Increment(ref left);
                }
                catch (HttpRequestException e)
                {
                    Interlocked.Increment(ref errors);
                    Print($"error: {e.Message}");
                }
            }
        }).ToList();
        var done = Task.WhenAll(clients);
        while (await Task.WhenAny(done, Task.Delay(TimeSpan.FromSeconds(seconds / 20))) != done)
        {
            server?.Refresh();
            Print($"{clock.Elapsed.TotalSeconds,6:f0} s: {requests} requests, {errors} errors, {left} left, {tokens / clock.Elapsed.TotalSeconds:f0} tokens/s{(server is null ? "" : $", {server.WorkingSet64 / 1e6:f1} MB")}");
        }

        await done;
        latencies.Sort();
        Print($"{requests} requests, {errors} errors, {left} left; half of the requests within {latencies[latencies.Count / 2]:f2} s, 99 % within {latencies[latencies.Count * 99 / 100]:f2} s");
    }

    private static async Task<int> CompleteAsync(HttpClient client, object request, CancellationToken cancel = default)
    {
        using var response = await client.PostAsJsonAsync(new Uri("/v1/completions", UriKind.Relative), request, cancel);
        response.EnsureSuccessStatusCode();
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(cancel);
        return body.GetProperty("usage").GetProperty("completion_tokens").GetInt32();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Print(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
