using AnTransformer.Architectures;
using AnTransformer.Operators;
using AnTransformer.Optimization;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Adam = AnTransformer.Optimization.Adam;

namespace AnTransformer.Training.Benchmarking;

/// <summary>This project's own model and optimizer, stepped as <see cref="Trainer"/> steps them.</summary>
public sealed class ModelStep : ITrainingStep
{
    private readonly Adam _adam;
    private readonly AdamOptions _options;

    /// <summary>Builds and initializes the model.</summary>
    /// <param name="plan">Model, optimizer constants and clipping.</param>
    /// <param name="context">Device and dtypes.</param>
    /// <param name="seed">Seed of the initial weights.</param>
    /// <exception cref="InvalidInputException">The model's configuration is not valid.</exception>
    public ModelStep(TrainingPlan plan, ModelContext context, long seed)
    {
        Model = LanguageModel.Create(plan.Model, context);
        Model.Initialize(seed);
        _options = plan.Adam;
        _adam = new Adam(Model, _options);
    }

    /// <summary>The model.</summary>
    public LanguageModel Model { get; }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters => Model.NamedParameters();

    /// <inheritdoc/>
    public double ForwardBackward(Tensor tokens, Tensor targets)
    {
        using var scope = NewDisposeScope();
        var loss = Model.Loss(tokens, targets);
        BackwardPass.Run(loss);
        return loss.item<float>();
    }

    /// <inheritdoc/>
    public void Update(double learningRate)
        // The norm is measured in any case: a training step reports it.
        => _adam.Update(learningRate, _options.ClippingFactor(_adam.GradientNorm()));

    /// <inheritdoc/>
    public void Dispose()
    {
        _adam.Dispose();
        Model.Dispose();
    }
}
