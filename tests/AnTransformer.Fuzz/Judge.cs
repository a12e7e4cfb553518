using System.Diagnostics;

namespace AnTransformer.Fuzz;

/// <summary>Reads files on a thread of its own, and says what became of each. A thread that does not come back is left behind.</summary>
/// <param name="hangAfter">When a read counts as one that does not end.</param>
internal sealed class Judge(TimeSpan hangAfter)
{
    private const long FreeBytes = 64L << 20;
    private const long BytesPerByte = 100;
    private const int LongestMessage = 2000;

    /// <summary>Threads that were left behind.</summary>
    public int Hangs { get; private set; }

    /// <summary>Reads a file.</summary>
    public Verdict Read(IFormat format, string path)
    {
        var size = new FileInfo(path).Length;
        Exception? failure = null;
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        var start = Stopwatch.GetTimestamp();
        var thread = new Thread(() =>
        {
            try
            {
                format.Read(path);
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        {
            IsBackground = true,
            Priority = ThreadPriority.BelowNormal,
        };
        thread.Start();
        if (!thread.Join(hangAfter))
        {
            Hangs++;
            return Verdict.Finding("hang", $"did not end within {hangAfter.TotalSeconds} s", hangAfter.TotalMilliseconds);
        }

        var milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var allocated = GC.GetTotalAllocatedBytes() - allocatedBefore;
        if (Hangs == 0 && allocated > FreeBytes + (BytesPerByte * size))
            return Verdict.Finding("allocation", $"allocated {allocated >> 20} MiB for {size} bytes", milliseconds);
        return Of(failure, milliseconds);
    }

    /// <summary>What an exception, or none, means.</summary>
    public static Verdict Of(Exception? failure, double milliseconds)
    {
        if (failure is null)
            return new Verdict(Outcome.Accepted, "", "", milliseconds);
        if (failure is not InvalidInputException)
            return Verdict.Finding($"{failure.GetType().Name} in {Place(failure)}", failure.ToString(), milliseconds);
        var message = failure.Message;
        var place = Place(failure);
        if (string.IsNullOrWhiteSpace(message))
            return Verdict.Finding($"empty message in {place}", failure.ToString(), milliseconds);
        if (message.Any(letter => (char.IsControl(letter) && letter != '\t') || letter is '\u2028' or '\u2029'))
            return Verdict.Finding($"message of several lines or with control characters in {place}", message, milliseconds);
        if (message.Length > LongestMessage)
            return Verdict.Finding($"message of more than {LongestMessage} characters in {place}", message, milliseconds);
        return new Verdict(Outcome.Refused, "", message, milliseconds);
    }

    /// <summary>The method of this project nearest to where an exception was thrown.</summary>
    private static string Place(Exception failure)
    {
        var frames = new StackTrace(failure).GetFrames().Select(frame => frame.GetMethod()).OfType<System.Reflection.MethodBase>().ToList();
        var ours = frames.Find(method => method.DeclaringType?.FullName?.StartsWith(nameof(AnTransformer), StringComparison.Ordinal) == true);
        return (ours ?? frames.FirstOrDefault()) is { } found ? $"{found.DeclaringType?.Name}.{found.Name}" : "no method";
    }
}
