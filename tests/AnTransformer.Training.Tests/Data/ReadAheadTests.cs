using AnTransformer.Training.Data.Preparation;

namespace AnTransformer.Training.Tests.Data;

public sealed class ReadAheadTests
{
    [Fact]
    public void All_documents_come_in_their_order()
    {
        var documents = Enumerable.Range(0, 2000).Select(i => new Document(new byte[i], $"{i}")).ToList();
        Assert.Equal(documents, ReadAhead.Of(documents, TestContext.Current.CancellationToken));
        Assert.Empty(ReadAhead.Of([], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Stopping_does_not_wait_for_a_read_that_does_not_come_back()
    {
        using var never = new ManualResetEventSlim();
        using var reading = new ManualResetEventSlim();
        using var stop = new CancellationTokenSource();
        using var stopping = new Timer(
            _ =>
            {
                reading.Wait();
                stop.Cancel();
            },
            null, 0, Timeout.Infinite);
        Assert.Throws<OperationCanceledException>(() => ReadAhead.Of(Blocked(), stop.Token).ToList());
        never.Set();

        IEnumerable<Document> Blocked()
        {
            yield return new Document(new byte[1], "a");
            reading.Set();
            never.Wait();
        }
    }

    [Fact]
    public void A_failure_comes_after_what_was_read_before_it()
    {
        var read = 0;
        var documents = ReadAhead.Of(Failing(), TestContext.Current.CancellationToken);
        var failure = Assert.Throws<InvalidInputException>(() =>
        {
            foreach (var document in documents)
                read += document.Text.Length;
        });
        Assert.Equal(("broken", 2), (failure.Message, read));

        static IEnumerable<Document> Failing()
        {
            yield return new Document(new byte[1], "a");
            yield return new Document(new byte[1], "b");
            throw new InvalidInputException("broken");
        }
    }

    [Fact]
    public void Ending_early_lets_go_of_the_file()
    {
        var ended = false;
        foreach (var document in ReadAhead.Of(Endless(), TestContext.Current.CancellationToken))
        {
            Assert.Equal("a", document.Path);
            break;
        }

        Assert.True(ended);

        IEnumerable<Document> Endless()
        {
            try
            {
                while (true)
                    yield return new Document(new byte[1000], "a");
            }
            finally
            {
                ended = true;
            }
        }
    }
}
