using System.Text;
using System.Text.Json;
using AnTransformer.Generation;
using AnTransformer.Inference;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Server.Tests;

/// <summary>What is drawn is what the library draws, whatever form it is asked for in.</summary>
public sealed class CompletionTests(TestServer server) : IClassFixture<TestServer>
{
    private static readonly int[] Ids = [.. "It was"u8.ToArray().Select(value => (int)value)];

    [Fact]
    public async Task Greedy_text_is_that_of_the_library()
    {
        using var model = InferenceModel.Load(server.Checkpoint);
        var expected = new InferenceGenerator(model).Generate(
            Ids, 20, new SamplingOptions(Temperature: 0), stopToken: 256, usableIds: 257).ToList();
        var body = await server.CompleteAsync(
            new { model = "first", prompt = "It was", max_tokens = 20, temperature = 0 });
        Assert.Equal(new ByteTokenizer().Decode(expected), Text(body));
        Assert.Equal("text_completion", body.GetProperty("object").GetString());
        Assert.Equal("first", body.GetProperty("model").GetString());
        Assert.Equal("length", Choice(body).GetProperty("finish_reason").GetString());
        Assert.Equal(JsonValueKind.Null, Choice(body).GetProperty("logprobs").ValueKind);
        var usage = body.GetProperty("usage");
        Assert.Equal((6, 20, 26), (usage.GetProperty("prompt_tokens").GetInt32(),
            usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32()));
    }

    [Fact]
    public async Task A_seed_draws_what_the_library_draws_and_completions_differ()
    {
        using var model = InferenceModel.Load(server.Checkpoint);
        var body = await server.CompleteAsync(
            new { model = "first", prompt = Ids, max_tokens = 12, temperature = 1.3, top_k = 100, seed = 7, n = 3, ignore_eos = true });
        for (var i = 0; i < 3; i++)
        {
            var expected = new InferenceGenerator(model).Generate(
                Ids, 12, new SamplingOptions(1.3, TopK: 100, Seed: 7 + i), usableIds: 257);
            Assert.Equal(new ByteTokenizer().Decode(expected), Text(body, i));
            Assert.Equal(i, Choice(body, i).GetProperty("index").GetInt32());
        }

        Assert.NotEqual(Text(body, 0), Text(body, 1));
    }

    [Fact]
    public async Task Prompts_in_all_four_forms()
    {
        var texts = await server.CompleteAsync(
            new { model = "first", prompt = new[] { "It was", "Em" }, max_tokens = 5, temperature = 0 });
        var ids = await server.CompleteAsync(
            new { model = "first", prompt = new[] { Ids, [69, 109] }, max_tokens = 5, temperature = 0, echo = true });
        var text = await server.CompleteAsync(new { model = "first", prompt = "It was", max_tokens = 5, temperature = 0 });
        Assert.Equal(Text(text), Text(texts));
        Assert.Equal("It was" + Text(text), Text(ids));
        Assert.Equal("Em" + Text(texts, 1), Text(ids, 1));
        // Nothing is the beginning of a text.
        var nothing = await server.CompleteAsync(new { model = "first", prompt = "", max_tokens = 5, temperature = 0 });
        var end = await server.CompleteAsync(new { model = "first", prompt = new[] { 256 }, max_tokens = 5, temperature = 0 });
        Assert.Equal(Text(end), Text(nothing));
    }

    [Fact]
    public async Task A_stream_is_the_answer_in_pieces()
    {
        var whole = await server.CompleteAsync(
            new { model = "first", prompt = "It was", max_tokens = 20, seed = 1, n = 2, logprobs = 2, echo = true });
        var (chunks, isDone) = await server.StreamAsync(new
        {
            model = "first",
            prompt = "It was",
            max_tokens = 20,
            seed = 1,
            n = 2,
            logprobs = 2,
            echo = true,
            stream = true,
            stream_options = new { include_usage = true },
        });
        Assert.True(isDone);
        var usage = chunks[^1];
        Assert.Equal(0, usage.GetProperty("choices").GetArrayLength());
        Assert.Equal(whole.GetProperty("usage").ToString(), usage.GetProperty("usage").ToString());
        Assert.Single(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
        for (var index = 0; index < 2; index++)
        {
            var own = chunks[..^1].Select(chunk => Choice(chunk))
                .Where(choice => choice.GetProperty("index").GetInt32() == index).ToList();
            Assert.True(own.Count > 15);
            Assert.Equal(Text(whole, index), string.Concat(own.Select(choice => choice.GetProperty("text").GetString())));
            Assert.Equal(
                Logprobs(whole, index),
                own.SelectMany(choice => Doubles(choice.GetProperty("logprobs").GetProperty("token_logprobs"))));
            Assert.All(own[..^1], choice => Assert.Equal(JsonValueKind.Null, choice.GetProperty("finish_reason").ValueKind));
            Assert.Equal("length", own[^1].GetProperty("finish_reason").GetString());
        }
    }

    [Fact]
    public async Task A_stop_text_ends_the_text_before_it_whole_and_streamed()
    {
        var free = await server.CompleteAsync(
            new { model = "first", prompt = "It was", max_tokens = 60, seed = 5, temperature = 2, ignore_eos = true });
        // A printable letter that comes for the first time somewhere in the middle.
        var text = Text(free);
        var at = Enumerable.Range(8, 40).First(i => text[i] is > ' ' and <= '~' && text.IndexOf(text[i], StringComparison.Ordinal) == i);
        var request = new
        {
            model = "first",
            prompt = "It was",
            max_tokens = 60,
            seed = 5,
            temperature = 2,
            ignore_eos = true,
            logprobs = 0,
            stop = new[] { "never seen", text.Substring(at, 1) },
        };
        var body = await server.CompleteAsync(request);
        Assert.Equal(text[..at], Text(body));
        Assert.Equal("stop", Choice(body).GetProperty("finish_reason").GetString());
        var offsets = Choice(body).GetProperty("logprobs").GetProperty("text_offset").EnumerateArray().Select(value => value.GetInt32()).ToList();
        Assert.All(offsets, offset => Assert.InRange(offset, 0, at - 1));
        var (chunks, isDone) = await server.StreamAsync(new
        {
            request.model,
            request.prompt,
            request.max_tokens,
            request.seed,
            request.temperature,
            request.ignore_eos,
            request.logprobs,
            request.stop,
            stream = true,
        });
        Assert.True(isDone);
        Assert.Equal(text[..at], string.Concat(chunks.Select(chunk => Text(chunk))));
        Assert.Equal("stop", Choice(chunks[^1]).GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_character_of_several_tokens_comes_whole()
    {
        // Bytes that are drawn at random are seldom UTF-8; echoed ones are.
        var body = await server.CompleteAsync(
            new { model = "first", prompt = "é€😀", max_tokens = 1, temperature = 0, logprobs = 1, echo = true });
        Assert.StartsWith("é€😀", Text(body), StringComparison.Ordinal);
        var logprobs = Choice(body).GetProperty("logprobs");
        Assert.Equal("bytes:\\xc3", logprobs.GetProperty("tokens")[0].GetString());
        // Characters before each of the 2 + 3 + 4 bytes, and before the drawn one.
        Assert.Equal(
            [0, 0, 1, 1, 1, 2, 2, 2, 2, 3],
            logprobs.GetProperty("text_offset").EnumerateArray().Select(value => value.GetInt32()));
        var (chunks, _) = await server.StreamAsync(
            new { model = "first", prompt = "😀", max_tokens = 30, temperature = 2, seed = 3, stream = true, echo = true });
        Assert.All(chunks, chunk => Assert.False(EndsInHalf(Text(chunk))));
    }

    [Fact]
    public async Task The_context_bounds_what_is_drawn()
    {
        var prompt = new string('a', 20);
        var body = await server.CompleteAsync(
            new { model = "second", prompt, max_tokens = 1000, temperature = 0, ignore_eos = true });
        // 24 places: the last token drawn needs none.
        Assert.Equal(5, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal("length", Choice(body).GetProperty("finish_reason").GetString());
        var (status, error) = await server.PostAsync(
            "/v1/completions", JsonSerializer.Serialize(new { model = "second", prompt = new string('a', 25) }));
        Assert.Equal(400, (int)status);
        Assert.Equal("context_length_exceeded", error.GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task Log_likelihoods_as_an_evaluation_harness_asks_for_them_are_those_of_the_library(int drawn)
    {
        using var model = InferenceModel.Load(server.Checkpoint);
        int[][] prompts = [.. Enumerable.Range(0, 9).Select(i => Encoding.UTF8.GetBytes(new string('x', i) + "The cat sat on the mat. The end of it, then"[..(3 + (4 * i))]).Select(value => (int)value).ToArray())];
        var body = await server.CompleteAsync(
            new { model = "first", prompt = prompts, max_tokens = drawn, logprobs = 1, temperature = 0, echo = true, seed = 1234 });
        for (var i = 0; i < prompts.Length; i++)
        {
            var expected = model.Score(prompts[i]);
            var actual = Logprobs(body, i).ToList();
            Assert.Equal(prompts[i].Length + drawn, actual.Count);
            Assert.Null(actual[0]);
            for (var position = 1; position < prompts[i].Length; position++)
                Assert.Equal(expected[position - 1], actual[position]!.Value, 2e-5);
            var top = Choice(body, i).GetProperty("logprobs").GetProperty("top_logprobs").EnumerateArray().ToList();
            Assert.Equal(JsonValueKind.Null, top[0].ValueKind);
            for (var position = 1; position < actual.Count; position++)
            {
                var best = top[position].EnumerateObject().Max(item => item.Value.GetDouble());
                Assert.True(best >= actual[position]!.Value);
                // What is drawn greedily is the most probable one, to the bit.
                if (position >= prompts[i].Length)
                    Assert.Equal(best, actual[position]!.Value);
            }
        }
    }

    [Fact]
    public async Task Many_at_once_get_what_each_gets_alone()
    {
        var requests = Enumerable.Range(0, 40).Select(i => new
        {
            model = i % 5 == 0 ? "second" : "first",
            prompt = $"Nr. {i}: it is",
            max_tokens = 3 + (i % 9),
            seed = i,
            temperature = 1,
        }).ToList();
        var alone = new List<string>();
        foreach (var request in requests)
            alone.Add(Text(await server.CompleteAsync(request)));
        var together = await Task.WhenAll(requests.Select(async request => Text(await server.CompleteAsync(request))));
        Assert.Equal(alone, together);
    }

    private static JsonElement Choice(JsonElement body, int index = 0) => body.GetProperty("choices")[index];

    private static string Text(JsonElement body, int index = 0) => Choice(body, index).GetProperty("text").GetString()!;

    private static IEnumerable<double?> Logprobs(JsonElement body, int index)
        => Doubles(Choice(body, index).GetProperty("logprobs").GetProperty("token_logprobs"));

    private static IEnumerable<double?> Doubles(JsonElement list)
        => list.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? (double?)null : value.GetDouble());

    private static bool EndsInHalf(string text) => text.Length > 0 && char.IsHighSurrogate(text[^1]);
}
