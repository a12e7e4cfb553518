using System.Diagnostics;

namespace AnTransformer.Studies.Sharing;

/// <summary>Who of a study's workers lives, as seen from here: whose counter has risen not too long ago.</summary>
/// <param name="folder">Where workers announce themselves.</param>
/// <param name="patience">How long a counter may stand still.</param>
internal sealed class WorkerWatch(string folder, TimeSpan patience)
{
    private const int Looks = 40;
    private readonly Dictionary<string, (string? Beats, Stopwatch Since)> _seen = new(StringComparer.Ordinal);

    /// <summary>Whether a worker is to be taken for alive.</summary>
    /// <param name="id">
    /// Its name; one that nothing is found of counts as alive for as long as one that stands still.
    /// </param>
    public bool IsAlive(string id)
    {
        var file = StudyWorker.Read(StudyWorker.PathOf(folder, id));
        if (file?.Process.HasEnded == true)
            return false;
        if (!_seen.TryGetValue(id, out var last) || (file is not null && file.Beats != last.Beats))
        {
            _seen[id] = (file?.Beats, Stopwatch.StartNew());
            return true;
        }

        return last.Since.Elapsed < patience;
    }

    /// <summary>A worker that is alive and works on something else; null for none.</summary>
    /// <param name="study">The digest of what is worked on here.</param>
    /// <param name="stop">Ends the look.</param>
    /// <remarks>
    /// Only a counter that rises says that a worker of another host lives; one that has died there is waited for here,
    /// for as long as patience lasts, and blocks nobody for longer.
    /// </remarks>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public string? Stranger(string study, CancellationToken stop)
    {
        var strangers = Directory.EnumerateFiles(folder, "*.json")
            .Select(path => (Path: path, File: StudyWorker.Read(path)))
            .Where(item => item.File is { } file && file.Study != study && !file.Process.HasEnded).ToList();
        var watch = Stopwatch.StartNew();
        while (strangers.Count > 0 && watch.Elapsed < patience)
        {
            if (strangers.Find(item => StudyWorker.Read(item.Path) is { } now && now.Beats != item.File!.Beats)
                is { File: { } alive })
                return alive.Process.Host;
            if (stop.WaitHandle.WaitOne(patience / Looks))
                throw new OperationCanceledException(stop);
        }

        return null;
    }
}
