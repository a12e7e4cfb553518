using AnTransformer.Generation;
using AnTransformer.Inference;

namespace AnTransformer.Server.Scheduling;

/// <summary>A place in which one sequence at a time is read and continued; its keys and values are reused.</summary>
/// <param name="session">Owned.</param>
/// <param name="usableIds">Ids below this number are drawn.</param>
internal sealed class Slot(InferenceSession session, int usableIds) : IDisposable
{
    private Sampler? _sampler;
    private int _drawn;
    private int _next;

    /// <summary>The sequence that has it, or null.</summary>
    public GenerationJob? Job { get; private set; }

    /// <summary>Keys and values.</summary>
    public InferenceSession Session => session;

    /// <summary>Prompt tokens that are not read yet.</summary>
    public int Unread => Job is null ? 0 : Math.Max(0, Job.Request.Prompt.Length - session.Length);

    /// <summary>Gives it a sequence.</summary>
    public void Take(GenerationJob job)
    {
        session.Truncate(0);
        (Job, _drawn) = (job, 0);
        _sampler = new Sampler(job.Request.Sampling);
        foreach (var token in job.Request.Prompt)
            _sampler.Observe(token);
        if (job.Request is { ScoresPrompt: true, Logprobs: not null })
            job.PromptTokens.Add(new DrawnToken(job.Request.Prompt[0], double.NaN, []));
    }

    /// <summary>Makes it free.</summary>
    public void Release(bool byToken, Exception? error = null)
    {
        Job?.End(byToken, error);
        Job = null;
    }

    /// <summary>The tokens of the next pass.</summary>
    /// <param name="most">Of a prompt.</param>
    public ReadOnlySpan<int> Next(int most)
        => Unread > 0
            ? Job!.Request.Prompt.AsSpan(session.Length, Math.Min(Unread, most))
            : new ReadOnlySpan<int>(in _next);

    /// <summary>
    /// Whether logits are wanted after a token of the prompt: for the one that follows, or to draw from.
    /// </summary>
    /// <param name="position">The token's.</param>
    public bool WantsLogits(int position)
    {
        var request = Job!.Request;
        return position >= request.Prompt.Length - 1
            ? request.MaxTokens > 0
            : request is { ScoresPrompt: true, Logprobs: not null };
    }

    /// <summary>Takes logits after a token of the sequence.</summary>
    /// <param name="position">The token's.</param>
    /// <param name="logits">[V].</param>
    /// <returns>Whether a token was drawn, as against scored.</returns>
    public bool Accept(int position, ReadOnlySpan<float> logits)
    {
        var request = Job!.Request;
        if (position < request.Prompt.Length - 1)
        {
            Job.PromptTokens.Add(Logprobs.Of(logits, request.Prompt[position + 1], request.Logprobs ?? 0, usableIds));
            return false;
        }

        var token = _sampler!.Next(logits[..usableIds]);
        _sampler.Observe(token);
        Job.Add(
            request.Logprobs is { } alternatives
                ? Logprobs.Of(logits, token, alternatives, usableIds)
                : new DrawnToken(token, double.NaN, []));
        if (token == request.StopToken)
        {
            Release(byToken: true);
            return true;
        }

        _next = token;
        if (++_drawn == request.MaxTokens || session.Length == session.Capacity)
            Release(byToken: false);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();
}
