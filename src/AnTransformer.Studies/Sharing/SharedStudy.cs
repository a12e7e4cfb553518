using System.Security.Cryptography;
using System.Text;
using AnTransformer.Studies.Running;

namespace AnTransformer.Studies.Sharing;

/// <summary>
/// One of any number of workers, on any hosts, that share a study's directory and its runs. Nothing is assumed of the
/// file system but that a file can be created once.
/// </summary>
internal sealed class SharedStudy : IDisposable
{
    private readonly StudyDirectory _directory;
    private readonly StudyWorker _worker;
    private readonly WorkerWatch _watch;
    private readonly Dictionary<string, RunClaim> _mine = new(StringComparer.Ordinal);

    /// <summary>Joins those who work on a study.</summary>
    /// <param name="directory">The study's directory.</param>
    /// <param name="study">A digest of the study (<see cref="Digest"/>).</param>
    /// <param name="patience">How long a worker may show no life before its runs are taken over.</param>
    /// <param name="stop">Ends the look for others.</param>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    /// <exception cref="InvalidInputException">
    /// Another study is at work there, or the directory cannot be written.
    /// </exception>
    public SharedStudy(StudyDirectory directory, string study, TimeSpan patience, CancellationToken stop)
    {
        _directory = directory;
        var folder = directory.Workers;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidInputException($"{folder}: cannot be made ({e.Message.TrimEnd('.')}); mend that.", e);
        }

        _watch = new WorkerWatch(folder, patience);
        if (_watch.Stranger(study, stop) is { } host)
        {
            throw new InvalidInputException(
                $"{directory.Root}: another study is using this directory on {host}; wait for it to end or choose "
                    + "another output.");
        }

        _worker = new StudyWorker(folder, study, patience / 10);
    }

    /// <summary>What those who share a directory must have in common: what they run, if not how or where.</summary>
    /// <param name="plan">A study's plan.</param>
    public static string Digest(IStudyPlan plan)
    {
        var names = plan.Agenda(new Dictionary<string, RunResult>()).Runs.Select(run => run.Name);
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', names))))[..16];
    }

    /// <summary>Claims a run; null when another worker has it.</summary>
    /// <param name="run">The run.</param>
    /// <exception cref="IOException">The file system refuses.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public RunClaim? TryClaim(PlannedRun run)
    {
        var claim = RunClaim.TryTake(_directory.RunPath(run), _worker.Id, _watch.IsAlive);
        if (claim is not null)
            _mine[run.Name] = claim;
        return claim;
    }

    /// <summary>Whether another has taken a run over, for example because this process was suspended.</summary>
    /// <param name="run">A run that was claimed.</param>
    public bool HasLost(PlannedRun run) => _mine.TryGetValue(run.Name, out var claim) && claim.IsLost;

    /// <summary>Gives a run back that has no result.</summary>
    /// <param name="run">A run that was claimed.</param>
    public void Release(PlannedRun run)
    {
        if (_mine.Remove(run.Name, out var claim))
            claim.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _worker.Dispose();
}
