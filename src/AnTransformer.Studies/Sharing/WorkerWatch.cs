using System.Diagnostics;

namespace AnTransformer.Studies.Sharing;

/// <summary>Who of a study's workers lives, as seen from here: whose counter has risen not too long ago.</summary>
/// <param name="folder">Where workers announce themselves.</param>
/// <param name="patience">How long a counter may stand still.</param>
internal sealed class WorkerWatch(string folder, TimeSpan patience)
{
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

    /// <summary>A worker that may be alive and works on something else; null for none.</summary>
    /// <param name="study">The digest of what is worked on here.</param>
    public string? Stranger(string study)
        => Directory.EnumerateFiles(folder, "*.json").Select(path => (Path: path, File: StudyWorker.Read(path)))
            .Where(item => item.File is { } file && file.Study != study && !file.Process.HasEnded)
            .Select(item => item.File!.Process.Host).FirstOrDefault();
}
