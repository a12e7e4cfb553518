using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using AnTransformer.Training.Runs;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>This project's own model and optimizer, stepped as <see cref="Loop.Trainer"/> steps them.</summary>
public sealed class ModelStep : ITrainingStep
{
    private readonly Optimizer _optimizer;
    private readonly TrainingStep _step;

    /// <summary>Builds and initializes the model.</summary>
    /// <param name="plan">Model, optimizer constants and clipping.</param>
    /// <param name="context">Device and dtypes.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="InvalidInputException">The model's configuration is not valid.</exception>
    public ModelStep(TrainingPlan plan, ModelContext context, long seed)
    {
        Model = LanguageModel.Create(plan.Model, context);
        Model.Initialize(seed);
        _optimizer = new Optimizer(Model, plan.Optimizer);
        _step = new TrainingStep(Model, _optimizer);
    }

    /// <summary>The model.</summary>
    public LanguageModel Model { get; }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters => Model.NamedParameters();

    /// <inheritdoc/>
    public double ForwardBackward(Tensor tokens, Tensor targets) => _step.ForwardBackward(tokens, targets);

    /// <inheritdoc/>
    public void Update(double learningRate) => _step.Update(learningRate);

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        Model.Dispose();
    }
}
