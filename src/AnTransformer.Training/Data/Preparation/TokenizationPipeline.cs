using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using AnTransformer.Training.Tokenization;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// One reader, several tokenizing workers, one writer that sees the batches in the reader's order. Queues are bounded,
/// so memory does not depend on the amount of input. The first failure of any stage stops the others and is the one
/// that is reported.
/// </summary>
internal sealed class TokenizationPipeline
{
    private readonly Channel<DocumentBatch> _work = Channel.CreateUnbounded<DocumentBatch>();
    private readonly Channel<DocumentBatch> _ordered;
    private readonly Tokenizer _tokenizer;
    private readonly int _workers;
    private ExceptionDispatchInfo? _failure;

    public TokenizationPipeline(Tokenizer tokenizer, int workers)
    {
        _tokenizer = tokenizer;
        _workers = workers;
        // Whatever waits for a worker also waits for the writer, so this bound holds for both.
        _ordered = Channel.CreateBounded<DocumentBatch>(2 * workers);
    }

    public async Task RunAsync(IEnumerable<Document> documents, Action<DocumentBatch> write,
        CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var stages = new List<Task>
        {
            StartStage(() => ReadAsync(documents, stop.Token), stop),
            StartStage(() => WriteAsync(write, stop.Token), stop),
        };
        for (var i = 0; i < _workers; i++)
            stages.Add(StartStage(() => TokenizeAsync(stop.Token), stop));
        await Task.WhenAll(stages);
        _failure?.Throw();
    }

    private Task StartStage(Func<Task> stage, CancellationTokenSource stop) => Task.Run(async () =>
    {
        try
        {
            await stage();
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            await stop.CancelAsync();
        }
    });

    private async Task ReadAsync(IEnumerable<Document> documents, CancellationToken stop)
    {
        var batch = new DocumentBatch();
        foreach (var document in documents)
        {
            stop.ThrowIfCancellationRequested();
            batch.Add(document.Text);
            if (batch.Bytes < DocumentBatch.TargetBytes)
                continue;
            await SendAsync(batch);
            batch = new DocumentBatch();
        }
        if (batch.Count > 0)
            await SendAsync(batch);
        _work.Writer.Complete();
        _ordered.Writer.Complete();

        async Task SendAsync(DocumentBatch full)
        {
            await _ordered.Writer.WriteAsync(full, stop);
            await _work.Writer.WriteAsync(full, stop);
        }
    }

    private async Task TokenizeAsync(CancellationToken stop)
    {
        await foreach (var batch in _work.Reader.ReadAllAsync(stop))
            batch.Tokenize(_tokenizer);
    }

    private async Task WriteAsync(Action<DocumentBatch> write, CancellationToken stop)
    {
        await foreach (var batch in _ordered.Reader.ReadAllAsync(stop))
        {
            await batch.Tokenized.WaitAsync(stop);
            write(batch);
        }
    }
}
