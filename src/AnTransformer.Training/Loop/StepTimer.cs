using System.Diagnostics;

namespace AnTransformer.Training.Loop;

/// <summary>Times steps alone, without the evaluations and checkpoints between them.</summary>
internal sealed class StepTimer
{
    private const int Window = 20;
    private readonly Queue<double> _recent = new();
    private readonly Stopwatch _clock = new();

    /// <summary>Seconds in all steps so far.</summary>
    public double TotalSeconds { get; private set; }

    /// <summary>Steps timed.</summary>
    public long Count { get; private set; }

    /// <summary>Mean seconds of the last steps.</summary>
    public double SecondsPerStep => _recent.Count == 0 ? 0 : _recent.Average();

    public void Start() => _clock.Restart();

    public void Stop()
    {
        var seconds = _clock.Elapsed.TotalSeconds;
        TotalSeconds += seconds;
        Count++;
        _recent.Enqueue(seconds);
        if (_recent.Count > Window)
            _recent.Dequeue();
    }
}
