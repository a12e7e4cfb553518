using AnTransformer.Inference;

namespace AnTransformer.Server.Scheduling;

/// <summary>
/// Continues many sequences of one model at once: every pass over the weights reads the next token of each sequence
/// that has a slot, and a part of the prompts that are not read yet. A sequence joins when a slot is free and leaves
/// when it ends (continuous batching, Yu et al. 2022, "Orca"); up to a bound the others wait in the order in which they
/// came.
/// </summary>
internal sealed class BatchScheduler : IDisposable
{
    // Long prompts are read in parts, so that those who wait for their next token wait for a part only.
    private const int PromptRows = 128;
    private const int MostRows = 512;

    private readonly InferenceModel _model;
    private readonly int _mostQueued;
    private readonly Slot[] _slots;
    private readonly Queue<GenerationJob> _queue = new();
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly ServerMetrics _metrics;
    private readonly InferenceSession[] _sessions;
    private readonly int[] _counts;
    private readonly Slot[] _reading;
    private readonly int[] _tokens = new int[MostRows];
    private readonly int[] _outputs = new int[MostRows];
    private volatile bool _isStopping;

    /// <summary>Starts the thread that computes.</summary>
    /// <param name="model">Not owned; nobody else uses it.</param>
    /// <param name="usableIds">Ids below this number are drawn: those that the tokenizer can turn into text.</param>
    /// <param name="slots">Sequences at once.</param>
    /// <param name="mostQueued">Sequences that may wait.</param>
    /// <param name="metrics">What is counted.</param>
    public BatchScheduler(InferenceModel model, int usableIds, int slots, int mostQueued, ServerMetrics metrics)
    {
        (_model, _mostQueued, _metrics) = (model, mostQueued, metrics);
        _slots = [.. Enumerable.Range(0, slots).Select(_ => new Slot(model.CreateSession(), usableIds))];
        (_sessions, _counts, _reading) = (new InferenceSession[slots], new int[slots], new Slot[slots]);
        _thread = new Thread(Run) { IsBackground = true, Name = "generation" };
        _thread.Start();
    }

    /// <summary>Sequences that have a slot.</summary>
    public int Running => _slots.Count(slot => slot.Job is not null);

    /// <summary>Sequences that wait for one.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _queue.Count;
        }
    }

    /// <summary>Bytes of all slots' keys and values.</summary>
    public long CacheBytes => _slots.Sum(slot => slot.Session.CacheBytes);

    /// <summary>Queues sequences, all of them or none.</summary>
    /// <param name="jobs">In order.</param>
    /// <returns>Whether there was room for all.</returns>
    public bool TryAdd(IReadOnlyCollection<GenerationJob> jobs)
    {
        lock (_gate)
        {
            if (_isStopping)
                return false;
            if (Exceeds(jobs.Count))
                ForgetAbandoned();
            if (Exceeds(jobs.Count))
                return false;
            foreach (var job in jobs)
                _queue.Enqueue(job);
        }

        _work.Release();
        return true;
    }

    /// <summary>Ends the thread; sequences that are not done end with an error.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _work.Release();
        _thread.Join();
        foreach (var slot in _slots)
            slot.Dispose();
        _work.Dispose();
    }

    // Free slots take from the queue at once. Where none waits, a request of many sequences is taken whole: it would
    // never fit otherwise.
    private bool Exceeds(int more)
    {
        var free = _slots.Count(slot => slot.Job is null);
        return _queue.Count + more > _mostQueued + free && (_queue.Count > 0 || free == 0);
    }

    private void ForgetAbandoned()
    {
        for (var left = _queue.Count; left > 0; left--)
        {
            var job = _queue.Dequeue();
            if (job.IsAbandoned)
                job.End(byToken: false);
            else
                _queue.Enqueue(job);
        }
    }

    private void Run()
    {
        while (!_isStopping)
        {
            Admit();
            if (!Array.Exists(_slots, slot => slot.Job is not null))
            {
                _work.Wait();
                continue;
            }

            try
            {
                Pass();
            }
            catch (Exception e)
            {
                // Whatever it was: the sequences of this pass are lost, and the next ones are not. Requests log it.
                foreach (var slot in _slots)
                    slot.Release(byToken: false, e);
            }
        }

        var end = new OperationCanceledException("The server stops.");
        foreach (var slot in _slots)
            slot.Release(byToken: false, end);
        lock (_gate)
        {
            while (_queue.TryDequeue(out var job))
                job.End(byToken: false, end);
        }
    }

    private void Admit()
    {
        lock (_gate)
        {
            foreach (var slot in _slots)
            {
                if (slot.Job is { IsAbandoned: true })
                    slot.Release(byToken: false);
                while (slot.Job is null && _queue.TryDequeue(out var job))
                {
                    if (job.IsAbandoned)
                        job.End(byToken: false);
                    else
                        slot.Take(job);
                }
            }
        }
    }

    private void Pass()
    {
        var (sequences, rows, outputs) = (0, 0, 0);
        // Those that wait for their next token come first: there is always room for them.
        var promptRows = Math.Max(
            PromptRows, _slots.Any(slot => slot.Job is not null && slot.Unread == 0) ? 0 : MostRows - _slots.Length);
        foreach (var readsPrompt in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var slot in _slots)
            {
                if (slot.Job is null || slot.Unread > 0 != readsPrompt || (readsPrompt && promptRows == 0))
                    continue;
                // Logits of every token of a prompt take V numbers each: fewer at once.
                var most = slot.Job.Request is { ScoresPrompt: true, Logprobs: not null } ? PromptRows : MostRows;
                var tokens = slot.Next(Math.Min(most, promptRows));
                if (readsPrompt)
                    promptRows -= tokens.Length;
                tokens.CopyTo(_tokens.AsSpan(rows));
                for (var i = 0; i < tokens.Length; i++)
                {
                    if (slot.WantsLogits(slot.Session.Length + i))
                        _outputs[outputs++] = rows + i;
                }

                (_sessions[sequences], _counts[sequences], _reading[sequences]) = (slot.Session, tokens.Length, slot);
                rows += tokens.Length;
                sequences++;
            }
        }

        var logits = _model.Read(
            _sessions.AsSpan(0, sequences), _counts.AsSpan(0, sequences), _tokens.AsSpan(0, rows),
            _outputs.AsSpan(0, outputs));
        _metrics.Passed(sequences);
        HandOut(sequences, logits);
    }

    private void HandOut(int sequences, ReadOnlySpan<float> logits)
    {
        var vocabulary = _model.Config.VocabSize;
        var output = 0;
        for (var i = 0; i < sequences; i++)
        {
            var slot = _reading[i];
            var job = slot.Job!;
            var end = slot.Session.Length;
            for (var position = end - _counts[i]; position < end; position++)
            {
                if (position < job.Request.Prompt.Length)
                    _metrics.PromptTokens.Add(1);
                if (!slot.WantsLogits(position))
                    continue;
                var row = logits.Slice(output++ * vocabulary, vocabulary);
                if (position == job.Request.Prompt.Length - 1)
                    _metrics.FirstToken(job.Arrived);
                if (slot.Accept(position, row))
                    _metrics.GeneratedTokens.Add(1);
            }

            if (slot.Job is not null && slot.Unread == 0 && job.Request.MaxTokens == 0)
                slot.Release(byToken: false);
        }
    }
}
