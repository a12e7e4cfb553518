using AnTransformer.Checkpoints;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Inspection;
using AnTransformer.Training.Loop;
using AnTransformer.Training.Metrics;

namespace AnTransformer.Training.Runs;

/// <summary>Writes a run's figures: <c>metrics.jsonl</c>, TensorBoard events and the resolved configuration.</summary>
internal sealed class RunRecorder : IDisposable
{
    private readonly string _path;
    private readonly MetricsLog _log;
    private readonly StepLog<InspectionRecord>? _inspections;
    private readonly TensorBoardWriter? _tensorBoard;

    public RunRecorder(RunDirectory run, TrainingConfiguration configuration, long step)
    {
        AtomicFile.WriteAllText(run.Configuration, ConfigurationBinder.Write(configuration));
        _path = run.Metrics;
        _log = MetricsLog.Open(run.Metrics, step);
        // Without inspections there is nothing to write, but what an earlier session wrote of later steps still has to
        // go.
        if (configuration.Inspection.Interval > 0 || File.Exists(run.Inspection))
            _inspections = StepLog<InspectionRecord>.Open(run.Inspection, step);
        _tensorBoard = configuration.Logging.Tensorboard ? new TensorBoardWriter(run.TensorBoard, step) : null;
    }

    public void Record(StepReport report)
        => Write(new MetricsRecord
        {
            Step = report.Step,
            Tokens = report.Tokens,
            Loss = report.Loss,
            LearningRate = report.LearningRate,
            GradNorm = report.GradientNorm,
            TokensPerSecond = report.TokensPerSecond,
            MatmulFraction = report.MatmulFraction,
            ElapsedSeconds = report.Elapsed.TotalSeconds,
        });

    public void Record(TrainerState state, EvaluationResult result)
        => Write(new MetricsRecord
        {
            Step = state.Step,
            Tokens = state.Tokens,
            ValLoss = result.Loss,
            BitsPerByte = result.BitsPerByte,
            MaskedAccuracy = result.MaskedAccuracy,
            ElapsedSeconds = state.ElapsedSeconds,
        });

    public void Record(TrainerState state, IReadOnlyDictionary<string, double> tasks)
        => Write(new MetricsRecord
        {
            Step = state.Step,
            Tokens = state.Tokens,
            Tasks = tasks,
            ElapsedSeconds = state.ElapsedSeconds,
        });

    public void Record(IReadOnlyList<InspectionRecord> inspection)
    {
        foreach (var record in inspection)
            _inspections?.Write(record);
        _tensorBoard?.Write(inspection[0].Step, inspection.SelectMany(record => record.Figures()));
    }

    /// <summary>Whether a step's evaluation is on record.</summary>
    public bool HasEvaluation(long step)
        => MetricsLog.Read(_path).Any(record => record.Step == step && record.ValLoss is not null);

    /// <summary>Whether a step's tasks are on record.</summary>
    public bool HasTasks(long step)
        => MetricsLog.Read(_path).Any(record => record.Step == step && record.Tasks is not null);

    public void Dispose()
    {
        _log.Dispose();
        _inspections?.Dispose();
        _tensorBoard?.Dispose();
    }

    private void Write(MetricsRecord record)
    {
        _log.Write(record);
        _tensorBoard?.Write(record);
    }
}
