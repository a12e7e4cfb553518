using System.Runtime.CompilerServices;
using AnTransformer.Server.Models;
using AnTransformer.Server.Requests;
using AnTransformer.Server.Scheduling;

namespace AnTransformer.Server.Completions;

/// <summary>One completion of one prompt, from a request to its pieces.</summary>
internal sealed class Completion
{
    private readonly CompletionRequest _request;
    private readonly ServedModel _model;
    private readonly Prompt _prompt;

    /// <param name="request">What was asked for.</param>
    /// <param name="model">Who answers.</param>
    /// <param name="prompt">One of the request's.</param>
    /// <param name="ids">Its ids.</param>
    /// <param name="index">Its number among the request's completions.</param>
    /// <param name="gone">The client has left.</param>
    public Completion(
        CompletionRequest request, ServedModel model, Prompt prompt, int[] ids, int index, CancellationToken gone)
    {
        (_request, _model, _prompt, Index) = (request, model, prompt, index);
        var end = request.IgnoresEnd ? null : model.Tokenizer.EndOfTextId;
        // The last token drawn is not read again, so that it needs no room.
        var most = Math.Min(request.MaxTokens, model.Context - ids.Length + 1);
        Job = new GenerationJob(
            new GenerationRequest(
                ids, most, request.SamplingOf(index), request.Logprobs,
                ScoresPrompt: request.Echo && request.Logprobs is not null, end),
            gone);
    }

    /// <summary>Its number among the request's completions.</summary>
    public int Index { get; }

    /// <summary>Its place in the queue or a slot.</summary>
    public GenerationJob Job { get; }

    /// <summary>Tokens that were drawn.</summary>
    public int Drawn { get; private set; }

    /// <summary>Its pieces as they come; the last one has a reason. Reading them ends the job, come what may.</summary>
    public async IAsyncEnumerable<CompletionPiece> ReadAsync([EnumeratorCancellation] CancellationToken gone)
    {
        try
        {
            var text = new CompletionText(_model.Tokenizer, _request.Stops, _request.Logprobs is not null);
            var echoes = _request.Echo;
            await foreach (var token in Job.Tokens.ReadAllAsync(gone))
            {
                if (echoes)
                    yield return EchoPrompt(text);
                echoes = false;
                Drawn++;
                if (token.Id == Job.Request.StopToken)
                {
                    text.AppendEnd(token);
                    continue;
                }

                yield return text.Append(token);
                if (text.IsStopped)
                {
                    Job.Abandon();
                    break;
                }
            }

            if (echoes)
                yield return EchoPrompt(text);
            yield return text.End(Job.EndedByToken);
        }
        finally
        {
            Job.Abandon();
        }
    }

    private CompletionPiece EchoPrompt(CompletionText text)
        => text.Echo(_prompt.Text ?? _model.Tokenizer.Decode(_prompt.Ids!), Job.PromptTokens);
}
