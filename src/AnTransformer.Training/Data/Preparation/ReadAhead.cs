using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace AnTransformer.Training.Data.Preparation;

/// <summary>
/// Reads on a thread of its own, so that whoever waits for what is read can stop waiting at once: a read that does not
/// come back (a file server that is gone) is abandoned with its thread. Documents change hands in batches, a few of
/// which are ready at any time.
/// </summary>
internal static class ReadAhead
{
    private const int BatchBytes = 1 << 18;
    private const int BatchCount = 256;
    private const int ReadyBatches = 2;

    // A read that does come back lets go of its file before the caller goes on.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    /// <summary>The same documents.</summary>
    /// <param name="documents">Enumerated on the thread.</param>
    /// <param name="stop">Ends the waiting and the thread.</param>
    /// <exception cref="OperationCanceledException">While enumerating: stopped.</exception>
    public static IEnumerable<Document> Of(IEnumerable<Document> documents, CancellationToken stop)
    {
        var ready = new BlockingCollection<List<Document>>(ReadyBatches);
        var abandon = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() => failure = Read(documents, ready, abandon.Token))
        {
            IsBackground = true,
            Name = "reading documents",
        };
        thread.Start();
        try
        {
            while (ready.TryTake(out var batch, Timeout.Infinite, stop))
            {
                foreach (var document in batch)
                    yield return document;
            }

            thread.Join();
            failure?.Throw();
        }
        finally
        {
            abandon.Cancel();
            // The thread still uses both where it does not end.
            if (thread.Join(Grace))
            {
                abandon.Dispose();
                ready.Dispose();
            }
        }
    }

    private static ExceptionDispatchInfo? Read(
        IEnumerable<Document> documents, BlockingCollection<List<Document>> ready, CancellationToken abandon)
    {
        var batch = new List<Document>();
        try
        {
            var bytes = 0L;
            foreach (var document in documents)
            {
                abandon.ThrowIfCancellationRequested();
                batch.Add(document);
                bytes += document.Text.Length;
                if (batch.Count < BatchCount && bytes < BatchBytes)
                    continue;
                ready.Add(batch, abandon);
                (batch, bytes) = ([], 0);
            }

            ready.Add(batch, abandon);
            return null;
        }
        catch (Exception exception)
        {
            // What came before the failure is handed over, so that it counts as read.
            if (!abandon.IsCancellationRequested)
                TryAdd(ready, batch, abandon);
            return ExceptionDispatchInfo.Capture(exception);
        }
        finally
        {
            ready.CompleteAdding();
        }
    }

    private static void TryAdd(
        BlockingCollection<List<Document>> ready, List<Document> batch, CancellationToken abandon)
    {
        try
        {
            ready.Add(batch, abandon);
        }
        catch (OperationCanceledException)
        {
            // Nobody waits for it any more.
        }
    }
}
