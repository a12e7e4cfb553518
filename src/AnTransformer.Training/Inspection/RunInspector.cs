using AnTransformer.Architectures;
using AnTransformer.Inspection;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Runs;

namespace AnTransformer.Training.Inspection;

/// <summary>
/// Inspects the model of a run on the way, always on the same sequences. What is trained stays the same to the bit: a
/// measurement reads the weights and has no gradients and no random numbers.
/// </summary>
internal sealed class RunInspector
{
    private readonly LanguageModel _model;
    private readonly WindowSampler _data;
    private readonly int _sequences;
    private readonly int _batchSize;
    private long _lastStep;

    private RunInspector(TrainingConfiguration configuration, LanguageModel model, TokenDataset data, long step)
    {
        _model = model;
        _data = WindowSampler.Sequential(data, model.Config.MaxPositionEmbeddings)
            .Masked(TokenMasker.ForEvaluation(model.Config));
        (_sequences, _batchSize) = (configuration.Inspection.Sequences, configuration.Training.BatchSize);
        // the earlier session recorded it
        _lastStep = step > 0 && step % configuration.Inspection.Interval == 0 ? step : -1;
    }

    /// <summary>An inspector, or null where none is asked for.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="model">The model in training.</param>
    /// <param name="data">The validation data.</param>
    /// <param name="step">Steps taken when the run begins or goes on.</param>
    public static RunInspector? Create(
        TrainingConfiguration configuration, LanguageModel model, TokenDataset data, long step)
        => configuration.Inspection.Interval > 0 ? new RunInspector(configuration, model, data, step) : null;

    /// <summary>Inspects the model as it is after some steps, once.</summary>
    public void Record(RunRecorder recorder, long step)
    {
        if (step == _lastStep)
            return;
        _lastStep = step;
        var batches = InspectionBatches.Of(_data, _sequences, _batchSize, _model.Context.Device);
        recorder.Record(InspectionRecord.Of(step, ModelInspection.Measure(_model, batches, withSpectrum: false)));
    }
}
