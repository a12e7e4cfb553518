using System.Globalization;
using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Distributed;
using AnTransformer.Kernels;
using AnTransformer.Optimization;
using AnTransformer.Training.Configuration;
using AnTransformer.Training.Data;
using AnTransformer.Training.Devices;
using AnTransformer.Training.Inspection;
using AnTransformer.Training.Runs;
using static TorchSharp.torch;

namespace AnTransformer.Training.Loop;

/// <summary>
/// The training loop: forward, backward, update, constrain; and at their intervals log, save, evaluate.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const string CpuName = "cpu";

    private readonly TrainingConfiguration _configuration;
    private readonly ComputeDtype _dtype;
    private readonly TrainingPlan _plan;
    private readonly TrainingData _data;
    private readonly RunDirectory? _run;        // rank 0's
    private readonly ProcessGroup _group;
    private readonly GradientSharing _sharing;
    private readonly OuterOptimizer? _outer;    // for processes that train by themselves between its steps
    private string? _localDivergence;
    private readonly BatchShare _share;
    private readonly ITrainingListener _listener;
    private readonly WindowSampler _sampler;
    private readonly LanguageModel _model;
    private readonly Optimizer _optimizer;
    private readonly Evaluator _evaluator;
    private readonly ITaskEvaluation? _tasks;
    private readonly RunInspector? _inspector;
    private readonly StepTimer _timer = new();
    private readonly DivergenceMonitor _divergence;
    private readonly TrainingStep _step;
    private readonly long[] _inputs;
    private readonly long[] _targets;
    private readonly Device _targetDevice;
    private TrainerState _state;
    private EvaluationResult? _lastEvaluation;
    private long _lastEvaluatedStep = -1;
    private long _lastSavedStep = -1;
    private double _earlierSeconds;

    /// <summary>Builds model and optimizer, fresh or from the checkpoint the configuration resumes from.</summary>
    /// <param name="configuration">A validated configuration.</param>
    /// <param name="data">Tokens and tokenizer.</param>
    /// <param name="run">The run's directory; null on all ranks but the first, which write nothing.</param>
    /// <param name="listener">Hears what happens.</param>
    /// <param name="further">
    /// Whether a run that is resumed may have another number of steps than it had; see
    /// <see cref="TrainingRun.Run"/>.
    /// </param>
    /// <param name="group">Processes that train the model together; null for one alone. Not owned.</param>
    /// <param name="tasks">What rank 0 asks the model at evaluation.task_interval; null for nothing.</param>
    /// <exception cref="InvalidInputException">
    /// The configuration cannot be trained, or the checkpoint does not belong to it.
    /// </exception>
    public Trainer(
        TrainingConfiguration configuration, TrainingData data, RunDirectory? run, ITrainingListener listener,
        bool further = false, ProcessGroup? group = null, ITaskEvaluation? tasks = null)
    {
        if (tasks is not null && data.Tokenizer is null)
            throw new InvalidInputException(
                $"{configuration.Data.Path}: has no tokenizer.json, so evaluation.tasks cannot be read; leave them "
                    + "out, or prepare the data with a tokenizer.");
        _tasks = tasks;
        configuration = ResolvedConfiguration.Of(configuration);
        (_configuration, _data, _run, _listener) = (configuration, data, run, listener);
        _group = group ?? ProcessGroup.Single;
        var training = configuration.Training;
        var context = TrainingPlan.CreateContext(training);
        if (FusedKernels.WhyEager(context.Device) is { } reason)
            listener.OnWarning($"training without fused CUDA kernels, which is slower: {reason}");
        if (training.Threads > 0)
            set_num_threads(training.Threads);
        else if (_group.Size > 1 && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null)
            set_num_threads(ThreadShare.Of(_group));
        manual_seed(training.Seed);
        RankAgreement.ShareProducts(_group);
        RankAgreement.Require(
            _group, configuration, data, ComputeEnvironment.Current(context.Device, training.ComputeDtype));
        // Rank 0 has the run's directory, and tells the others what it found there.
        var point = run is null ? null : ResumePoint.Find(configuration, run, further);
        _dtype = ChooseDtype(training, point?.Path);
        context = ComputeDevice.Context(training.Device, _dtype);
        var vocabulary = run is null
            ? 0
            : StartingWeights.VocabularySize(point?.Path, training.From, data.VocabularySize);
        vocabulary = BitConverter.ToInt32(_group.FromFirst(BitConverter.GetBytes(vocabulary)));
        _plan = TrainingPlan.Create(configuration, vocabulary);
        _sampler = WindowSampler.Shuffled(data.Train, _plan.Model.MaxPositionEmbeddings, training.Seed)
            .Masked(TokenMasker.ForTraining(_plan.Model, training.Seed));
        _model = LanguageModel.Create(_plan.Model, context);
        _optimizer = new Optimizer(
            _model, _plan.Optimizer, configuration.Distributed.ShardOptimizer ? _group : null);
        _evaluator = new Evaluator(
            _model, WindowSampler.Sequential(data.Validation, _plan.Model.MaxPositionEmbeddings), data.Tokenizer,
            training.BatchSize, _group);
        var distributed = configuration.Distributed;
        _outer = distributed.SyncEvery == 1
            ? null
            : new OuterOptimizer(
                _model, _optimizer, _group, distributed.OuterLearningRate, distributed.OuterMomentum,
                distributed.GradientDtype);
        _sharing = new GradientSharing(
            _model, _outer is null ? _group : ProcessGroup.Single, distributed.GradientDtype,
            distributed.Deterministic);
        _share = BatchShare.Of(
            training.BatchSize, training.GradientAccumulation, _group.Rank, _group.Size,
            whole: _plan.Model.Masking is not null || distributed.Deterministic);
        _inputs = new long[training.BatchSize * _plan.Model.MaxPositionEmbeddings];
        _targets = new long[_inputs.Length];
        _targetDevice = _plan.Model.Masking is null ? context.Device : CPU;      // see IgnoredTargets
        _state = new TrainerState { Seed = training.Seed };
        using (var loading = NewDisposeScope())
        {
            IReadOnlyList<KeyValuePair<string, Tensor>>? moments = null;
            if (point is not null)
                Resume(point, moments = [.. _optimizer.WholeState(), .. OuterState(point.Path)]);
            else if (_group.Rank == 0)
                Begin();
            Replication.Give(_group, _model, _optimizer, _outer, moments);
            _outer?.Begin();
        }

        _state = TrainerState.Parse(_group.FromFirst(_state.ToBytes()));
        _optimizer.Resume(_state.Step);
        _earlierSeconds = _state.ElapsedSeconds;
        _lastSavedStep = BitConverter.ToInt64(_group.FromFirst(BitConverter.GetBytes(_lastSavedStep)));
        RecordEnvironment();
        _inspector = run is null
            ? null
            : RunInspector.Create(configuration, _model, data.Validation, _state.Step);
        _divergence = new DivergenceMonitor(training.DivergenceFactor, _state.Divergence);
        _step = new TrainingStep(_model, _optimizer, _share.MicroBatches.Count, _divergence, _sharing);
    }

    /// <summary>The model, as far as it is trained.</summary>
    public LanguageModel Model => _model;

    /// <summary>Trains to the end of the plan, of the time budget, or until asked to stop.</summary>
    /// <param name="stop">Ends the run after the step under way; a checkpoint is saved.</param>
    /// <exception cref="InvalidInputException">
    /// A checkpoint or metrics file cannot be written, or data is damaged.
    /// </exception>
    public TrainingOutcome Run(CancellationToken stop)
    {
        var matmulRate = MatmulRate.Measure(_model.Context) * _group.Size;
        using var recorder = _run is null ? null : new RunRecorder(_run, _configuration, _state.Step);
        _listener.OnStart(_plan, _state, matmulRate);
        if (_state.Step > 0 && IsDue(_configuration.Evaluation.Interval)
            && _group.Any(recorder is not null && !recorder.HasEvaluation(_state.Step)))
            Evaluate(recorder, stop);       // the earlier session ended between the checkpoint and its evaluation
        if (_state.Step > 0 && IsDue(_configuration.Evaluation.TaskInterval))
            AskTasks(recorder, stop);
        if (_state.Step == 0)
            _inspector?.Record(recorder!, step: 0);
        while (_state.Step < _plan.Steps)
        {
            if (IsTogether)
            {
                var (timeIsUp, isStopped) = Agreed(TimeIsUp(), stop.IsCancellationRequested);
                if (timeIsUp)
                    break;
                if (isStopped)
                    return Stopped();
            }

            _timer.Start();
            var learningRate = _plan.Schedule.At(_state.Step);
            var result = Meet(TakeStep(learningRate));
            if (result.Divergence is { } reason)
            {
                _inspector?.Record(recorder!, _state.Step);      // the blow-up is in the activations
                return Diverged(reason, _state.Step + 1);
            }

            _timer.Stop();

            _state = _state with
            {
                Step = _state.Step + 1,
                Sequences = _state.Sequences + _plan.SequencesPerStep,
                Tokens = _state.Tokens + _plan.TokensPerStep,
                ElapsedSeconds = _earlierSeconds + _timer.TotalSeconds,
                Divergence = _divergence.State,
            };
            var report = Report(result, learningRate, matmulRate);
            _listener.OnStep(report);
            if (IsDue(_configuration.Logging.Interval) || _state.Step == 1)
                recorder?.Record(report);

            // An inspection comes before the checkpoint, so that a run resumed from that has it.
            if (IsDue(_configuration.Inspection.Interval))
                _inspector?.Record(recorder!, _state.Step);

            // A checkpoint comes before the evaluation, so that a failure in the latter loses nothing.
            var evaluationIsDue = IsDue(_configuration.Evaluation.Interval) && _state.Step < _plan.Steps;
            var tasksAreDue = _configuration.Evaluation.Tasks.Count > 0 && IsDue(_configuration.Evaluation.TaskInterval)
                && _state.Step < _plan.Steps;
            if (evaluationIsDue || tasksAreDue || IsDue(_configuration.Checkpoint.Interval))
            {
                if (Save() is { } damage)
                    return Diverged(damage, _state.Step);
            }

            if (evaluationIsDue)
                Evaluate(recorder, stop);
            if (tasksAreDue)
                AskTasks(recorder, stop);
        }

        if (Save() is { } lost)
            return Diverged(lost, _state.Step);
        Evaluate(recorder, stop);
        AskTasks(recorder, stop);
        return _lastEvaluation is { } last && !double.IsFinite(last.Loss)
            ? Diverged($"the validation loss is {last.Loss}", _state.Step)
            : Outcome(TrainingStatus.Completed, reason: null);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sharing.Dispose();
        _outer?.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
    }

    private void Resume(ResumePoint point, IReadOnlyList<KeyValuePair<string, Tensor>> moments)
    {
        _state = TrainingCheckpoint.Load(point.Path, _model, moments);
        _lastSavedStep = _state.Step;
        _earlierSeconds = _state.ElapsedSeconds;
        _listener.OnMessage($"resuming from {point.Path} at step {_state.Step}");
        if (!point.ChangesLength(_plan))
            return;
        if (_plan.Steps < _state.Step)
        {
            throw new InvalidInputException(
                $"{point.Path}: has taken {_state.Step} steps already, more than the {_plan.Steps} asked for; give "
                    + "more steps, or choose another training.output to start anew.");
        }

        _listener.OnMessage(
            $"trained to step {_plan.Steps} now; the learning rate follows the schedule over {_plan.Steps} steps from "
                + $"here on, {_plan.Schedule.At(_state.Step):g3} at the next one");
    }

    /// <summary>Where a checkpoint's momentum of outer steps goes: to those of this run, or nowhere.</summary>
    private IReadOnlyList<KeyValuePair<string, Tensor>> OuterState(string checkpoint)
    {
        if (!TrainingCheckpoint.HasOuterState(checkpoint))
            return [];
        if (_outer is not null)
            return _outer.State();
        _listener.OnMessage("processes train together from here on; the momentum of outer steps is left behind");
        return [.. OuterOptimizer.StateNames(_model).Select(
            item => KeyValuePair.Create(item.Name, zeros_like(item.Of)))];
    }

    /// <summary>
    /// bf16 on a CPU is for the sake of speed, and only some are faster in it: on others a run computes in fp32,
    /// whatever its configuration says, which stays as it is. A run that goes on on a CPU keeps what it was begun in.
    /// Rank 0 decides.
    /// </summary>
    /// <param name="training">The same on all ranks.</param>
    /// <param name="checkpoint">Rank 0's checkpoint to go on from; null for none.</param>
    private ComputeDtype ChooseDtype(TrainingSection training, string? checkpoint)
    {
        if (training.ComputeDtype != ComputeDtype.Bf16 || training.Device != CpuName)
            return training.ComputeDtype;
        var choice = new[] { (byte)ComputeDtype.Bf16 };
        if (_group.Rank == 0)
        {
            var before = checkpoint is null ? null : TrainingCheckpoint.LoadState(checkpoint).Sessions;
            if (before is { Count: > 0 } && before[^1].Environment is { Device: CpuName } environment)
                choice[0] = (byte)EnumSpelling.Parse<ComputeDtype>(environment.ComputeDtype, "compute dtype");
            else if (BFloatRate.OfThisMachine() is { IsFaster: false } rate)
            {
                choice[0] = (byte)ComputeDtype.Fp32;
                _listener.OnWarning(string.Create(
                    CultureInfo.InvariantCulture,
                    $"training.compute_dtype is bf16, but products run at {rate.Bf16 / 1e9:f0} GFLOP/s in bf16 and at "
                        + $"{rate.Fp32 / 1e9:f0} in fp32 on this processor; the run computes in fp32"));
            }
        }

        return (ComputeDtype)_group.FromFirst(choice)[0];
    }

    private void Begin()
    {
        _model.Initialize(_configuration.Training.Seed);
        if (_configuration.Training.From is { } from)
            _listener.OnMessage($"starting with the weights of {StartingWeights.Load(from, _model, _data.Tokenizer)}");
    }

    /// <summary>Notes in the state what computes from here on, and says so where that may change bits.</summary>
    private void RecordEnvironment()
    {
        var now = ComputeEnvironment.Current(_model.Context.Device, _dtype);
        var before = _state.Sessions.Count > 0 ? _state.Sessions[^1].Environment : null;
        if (before == now)
            return;
        _state = _state with { Sessions = [.. _state.Sessions, new TrainingSession(_state.Step, now)] };
        if (before?.DifferenceOfBits(now) is { } difference)
        {
            _listener.OnMessage(
                $"note: the run goes on where it computes differently ({difference}); it learns the same, but its last "
                    + "bits may differ from what they would have been there");
        }
    }

    private StepResult TakeStep(double learningRate)
    {
        foreach (var (first, count) in _share.MicroBatches)
        {
            using var scope = NewDisposeScope();
            var (inputs, targets) = (Part(_inputs, count), Part(_targets, count));
            _sampler.GetBatch(_state.Sequences + first, count, inputs, targets);
            long[] shape = [count, _plan.Model.MaxPositionEmbeddings];
            _step.ForwardBackward(
                tensor(inputs, device: _model.Context.Device).view(shape),
                tensor(targets, device: _targetDevice).view(shape),
                (double)(_outer is null ? _share.Sequences : _share.Own) / count);
        }

        return _step.Update(learningRate);
    }

    /// <summary>Whether all processes have the same weights: everywhere, or between stretches by themselves.</summary>
    private bool IsTogether => _outer is null || _state.Step % _configuration.Distributed.SyncEvery == 0;

    /// <summary>
    /// The outer step where it is due. What is found in between, such as a loss that is no number, waits for it.
    /// </summary>
    private StepResult Meet(StepResult result)
    {
        if (_outer is null)
            return result;
        _localDivergence ??= result.Divergence;
        var step = _state.Step + 1;
        if (step % _configuration.Distributed.SyncEvery != 0 && step < _plan.Steps)
            return result with { Divergence = null };
        var losses = _group.Gather(BitConverter.GetBytes(_localDivergence is null ? result.Loss : double.NaN))
            .Select(bytes => BitConverter.ToDouble(bytes)).ToList();
        var loss = losses.Average();
        if (double.IsNaN(loss))
        {
            return result with
            {
                Loss = loss,
                Divergence = _localDivergence ?? $"rank {losses.FindIndex(double.IsNaN)} could not go on",
            };
        }

        _outer.Update();
        return result with { Loss = loss };
    }

    private StepReport Report(StepResult result, double learningRate, double matmulRate)
    {
        var tokensPerSecond = _plan.TokensPerStep / _timer.SecondsPerStep;
        var remaining = TimeSpan.FromSeconds((_plan.Steps - _state.Step) * _timer.SecondsPerStep);
        return new StepReport(
            _state.Step,
            _plan.Steps,
            _state.Tokens,
            result.Loss,
            learningRate,
            result.GradientNorm,
            tokensPerSecond,
            tokensPerSecond * ModelCost.TrainingFlopsPerToken(_plan.Model) / matmulRate,
            TimeSpan.FromSeconds(_state.ElapsedSeconds),
            remaining);
    }

    /// <summary>The memory of a micro-batch that may be smaller than the largest.</summary>
    private long[] Part(long[] whole, int sequences)
        => sequences == _configuration.Training.BatchSize
            ? whole
            : new long[sequences * _plan.Model.MaxPositionEmbeddings];

    /// <summary>Whether either holds on any rank, by one exchange.</summary>
    private (bool First, bool Second) Agreed(bool first, bool second)
    {
        var flags = _group.Gather([(byte)((first ? 1 : 0) | (second ? 2 : 0))])
            .Aggregate(0, (all, bytes) => all | bytes[0]);
        return ((flags & 1) != 0, (flags & 2) != 0);
    }

    private bool IsDue(long interval) => interval > 0 && _state.Step % interval == 0;

    private bool TimeIsUp()
        => _configuration.Training.MaxMinutes is { } minutes && _state.ElapsedSeconds >= minutes * 60;

    /// <summary>
    /// Saves unless this step is saved already; returns why the weights are not worth saving, or null.
    /// </summary>
    private string? Save()
    {
        if (_lastSavedStep == _state.Step)
            return null;
        if (!WeightsAreFinite())
            return "the weights are not finite";
        if (Replication.Difference(_group, _model) is { } difference)
            return difference;
        using var gathered = NewDisposeScope();
        List<KeyValuePair<string, Tensor>> moments = [.. _optimizer.GatherState(), .. _outer?.State() ?? []];
        if (_run is not null)
        {
            TrainingCheckpoint.Save(
                _run.CheckpointPath(_state.Step), _model, moments, _state, _configuration, _data.Tokenizer);
            _run.Prune(_configuration.Checkpoint.KeepLast);
        }

        _lastSavedStep = _state.Step;
        return null;
    }

    private bool WeightsAreFinite()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        return _model.NamedParameters()
            .All(item => double.IsFinite(item.Parameter.sum().to(ScalarType.Float64).item<double>()));
    }

    private void Evaluate(RunRecorder? recorder, CancellationToken stop)
    {
        if (_lastEvaluatedStep == _state.Step)
            return;
        try
        {
            var result = _evaluator.Run(
                _configuration.Evaluation.Batches, share => _listener.OnProgress("evaluating", share, ""),
                _group.Size == 1 ? stop : CancellationToken.None);      // all ranks or none
            _lastEvaluation = result;
            _lastEvaluatedStep = _state.Step;
            if (_run is null || recorder is null)
                return;
            var isBest = double.IsFinite(result.Loss)
                && (BestCheckpoint.Find(_run.Root) is not { } best || result.Loss < best.Loss);
            if (isBest)
            {
                BestCheckpoint.Mark(_run.Root, _state.Step, result.Loss);
                _run.Prune(_configuration.Checkpoint.KeepLast);
            }

            recorder.Record(_state, result);
            _listener.OnEvaluation(_state.Step, result, isBest);
        }
        catch (OperationCanceledException)
        {
            // Asked to stop during an evaluation: the checkpoint before it is already there.
        }
    }

    /// <summary>Tasks of the checkpoint that was just saved; the other ranks wait at their next exchange.</summary>
    private void AskTasks(RunRecorder? recorder, CancellationToken stop)
    {
        if (_tasks is null || recorder is null || recorder.HasTasks(_state.Step)
            || !Directory.Exists(_run!.CheckpointPath(_state.Step)))
            return;
        try
        {
            var figures = _tasks.Run(
                _run.CheckpointPath(_state.Step), share => _listener.OnProgress("asking tasks", share, ""), stop);
            recorder.Record(_state, figures);
            _listener.OnMessage(
                $"step {_state.Step}: {string.Join(", ", figures.Select(figure => FormattableString.Invariant(
                    $"{figure.Key} {figure.Value:f4}")))}");
        }
        catch (OperationCanceledException)
        {
            // Asked to stop; the checkpoint is there, and the same command asks again.
        }
    }

    private TrainingOutcome Stopped()
    {
        return Save() is { } damage
            ? Diverged(damage, _state.Step)
            : Outcome(TrainingStatus.Stopped, "stopped on request");
    }

    /// <param name="reason">Why the run is lost.</param>
    /// <param name="step">The step that lost it: the one under way, or the last one taken.</param>
    private TrainingOutcome Diverged(string reason, long step)
        => Outcome(TrainingStatus.Diverged, $"{reason} at step {step}");

    private TrainingOutcome Outcome(TrainingStatus status, string? reason)
        => new(
            status,
            _state,
            _lastEvaluation,
            _run?.Latest(),
            reason,
            Sample: null,
            PlotPath: null,
            _timer.TotalSeconds > 0 ? _timer.Count * _plan.TokensPerStep / _timer.TotalSeconds : 0);
}
