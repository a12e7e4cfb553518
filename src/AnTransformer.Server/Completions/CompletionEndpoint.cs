using System.Text;
using System.Threading.Channels;
using AnTransformer.Server.Models;
using AnTransformer.Server.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AnTransformer.Server.Completions;

/// <summary><c>POST /v1/completions</c>: continues texts, whole or as a stream of server-sent events.</summary>
internal sealed partial class CompletionEndpoint(ModelTable models, ILogger<CompletionEndpoint> logger)
{
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    /// <summary>Answers a request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var gone = context.RequestAborted;
        var request = CompletionRequest.Of(await JsonBody.ReadAsync(context.Request));
        var model = models.Find(request.Model);
        var (completions, promptTokens) = Plan(request, model, gone);
        if (!model.Scheduler.TryAdd([.. completions.Select(completion => completion.Job)]))
        {
            throw new ApiException(
                StatusCodes.Status429TooManyRequests, "Too many requests wait already; send it again later.",
                code: "queue_full");
        }

        var json = new CompletionJson(model, request.Logprobs is not null);
        try
        {
            if (request.Streams)
                await StreamAsync(context.Response, request, completions, promptTokens, json, gone);
            else
                await WriteAsync(context.Response, completions, promptTokens, json, gone);
        }
        finally
        {
            foreach (var completion in completions)
                completion.Job.Abandon();
        }
    }

    private static (Completion[] Completions, int PromptTokens) Plan(
        CompletionRequest request, ServedModel model, CancellationToken gone)
    {
        var completions = new List<Completion>();
        var tokens = 0;
        foreach (var prompt in request.Prompts)
        {
            var ids = model.Encode(prompt);
            tokens += ids.Length;
            for (var i = 0; i < request.Count; i++)
                completions.Add(new Completion(request, model, prompt, ids, completions.Count, gone));
        }

        return ([.. completions], tokens);
    }

    private static async Task WriteAsync(
        HttpResponse response, Completion[] completions, int promptTokens, CompletionJson json, CancellationToken gone)
    {
        var choices = new List<(int, CompletionPiece)>();
        foreach (var completion in completions)
        {
            var text = new StringBuilder();
            var tokens = new List<PlacedToken>();
            string? reason = null;
            await foreach (var piece in completion.ReadAsync(gone))
            {
                text.Append(piece.Text);
                tokens.AddRange(piece.Tokens);
                reason = piece.FinishReason;
            }

            choices.Add((completion.Index, new CompletionPiece(text.ToString(), tokens, reason)));
        }

        response.ContentType = "application/json";
        await response.Body.WriteAsync(
            json.Of(choices, (promptTokens, completions.Sum(completion => completion.Drawn))), gone);
    }

    private async Task StreamAsync(
        HttpResponse response, CompletionRequest request, Completion[] completions, int promptTokens,
        CompletionJson json, CancellationToken gone)
    {
        response.ContentType = "text/event-stream; charset=utf-8";
        // Bounded: who does not read is not sent to. Its tokens wait in their jobs, of which a context has a number.
        var pieces = Channel.CreateBounded<(int Index, CompletionPiece Piece)>(16);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone);
        var reading = Task.WhenAll(
            completions.Select(completion => ForwardAsync(completion, pieces.Writer, ended.Token)));
        var closing = reading.ContinueWith(
            task => pieces.Writer.Complete(
                task.Exception?.InnerException
                    ?? (task.IsCanceled && !gone.IsCancellationRequested ? new OperationCanceledException() : null)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            await foreach (var (index, piece) in pieces.Reader.ReadAllAsync(gone))
            {
                if (piece.Text.Length > 0 || piece.Tokens.Count > 0 || piece.FinishReason is not null)
                    await SendAsync(response, json.Of([(index, piece)], null), gone);
            }

            if (request.IncludesUsage)
            {
                var drawn = completions.Sum(completion => completion.Drawn);
                await SendAsync(response, json.Of([], (promptTokens, drawn)), gone);
            }

            await response.Body.WriteAsync(Done, gone);
        }
        catch (Exception e) when (e is not OperationCanceledException && !gone.IsCancellationRequested)
        {
            // The status is sent; clients read an error event in the stream.
            Failed(e);
            await SendAsync(
                response, Hosting.ErrorBody.Of(new ApiException(500, "The server failed; its log tells why.")), gone);
        }
        catch (OperationCanceledException) when (!gone.IsCancellationRequested)
        {
            await SendAsync(
                response, Hosting.ErrorBody.Of(new ApiException(503, "The server is stopping.")), gone);
        }
        finally
        {
            await ended.CancelAsync();
            await closing;
        }
    }

    private static async Task ForwardAsync(
        Completion completion, ChannelWriter<(int, CompletionPiece)> writer, CancellationToken ended)
    {
        await foreach (var piece in completion.ReadAsync(ended))
            await writer.WriteAsync((completion.Index, piece), ended);
    }

    private static async Task SendAsync(HttpResponse response, ReadOnlyMemory<byte> json, CancellationToken gone)
    {
        // One write, so that an event is one packet.
        var length = json.Length + 8;
        var buffer = new byte[length];
        "data: "u8.CopyTo(buffer);
        json.Span.CopyTo(buffer.AsSpan(6));
        "\n\n"u8.CopyTo(buffer.AsSpan(length - 2));
        await response.Body.WriteAsync(buffer, gone);
        await response.Body.FlushAsync(gone);
    }

    [LoggerMessage(LogLevel.Error, "a stream failed")]
    private partial void Failed(Exception error);
}
