using System.Reflection;
using AnTransformer.Architectures;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Studies.Running;

/// <summary>Makes a run's result from what it left in its directory.</summary>
internal static class ResultCollector
{
    /// <summary>The version of this software.</summary>
    public static string Version { get; } =
        typeof(ResultCollector).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion
            ?? "unknown";

    /// <exception cref="InvalidInputException">The metrics cannot be read.</exception>
    public static RunResult Collect(PlannedRun run, string metricsPath, RunExit exit, string device, int jobs)
    {
        var records = MetricsLog.Read(metricsPath);
        var evaluations = records.Where(record => record.ValLoss is not null).ToList();
        var last = records.Count > 0 ? records[^1] : null;
        var final = exit.Ending == RunEnding.Completed && evaluations.Count > 0 ? evaluations[^1] : null;
        var seconds = records.Select(record => record.ElapsedSeconds ?? 0).DefaultIfEmpty().Max();
        var model = run.Plan.Model;
        return new RunResult
        {
            Name = run.Name,
            Fingerprint = run.Fingerprint,
            Status = exit.Ending,
            Reason = exit.Ending == RunEnding.Diverged ? exit.Message : null,
            Steps = last?.Step ?? 0,
            Tokens = last?.Tokens ?? 0,
            ValLoss = final?.ValLoss,
            BitsPerByte = final?.BitsPerByte,
            BestValLoss = evaluations.Count > 0 ? evaluations.Min(record => record.ValLoss) : null,
            Seconds = seconds,
            TokensPerSecond = seconds > 0 ? (last?.Tokens ?? 0) / seconds : 0,
            Params = ModelCost.Parameters(model),
            MatrixParams = ModelCost.MatrixParameters(model),
            FlopsPerToken = ModelCost.TrainingFlopsPerToken(model),
            Device = device,
            Jobs = jobs,
            Version = Version,
            Settings = ResolvedSettings.Of(run),
            Curve = evaluations.ConvertAll(
                record => new CurvePoint(
                    record.Step, record.Tokens, record.ValLoss!.Value, record.ElapsedSeconds ?? 0)),
        };
    }
}
