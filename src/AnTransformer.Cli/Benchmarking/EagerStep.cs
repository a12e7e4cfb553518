using AnTransformer.Reference;
using AnTransformer.Training.Benchmarking;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Cli.Benchmarking;

/// <summary>The eager twin as a contestant.</summary>
internal sealed class EagerStep(EagerModel model) : ITrainingStep
{
    private readonly EagerTraining _training = new(model);

    public EagerModel Model => model;

    public IEnumerable<(string Name, Parameter Parameter)> NamedParameters => model.NamedParameters;

    public double ForwardBackward(Tensor tokens, Tensor targets) => _training.ForwardBackward(tokens, targets);

    public void Update(double learningRate) => _training.Update(learningRate);

    public void Dispose()
    {
        _training.Dispose();
        model.Dispose();
    }
}
