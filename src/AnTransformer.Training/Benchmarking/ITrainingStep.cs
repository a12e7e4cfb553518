using TorchSharp.Modules;
using static TorchSharp.torch;

namespace AnTransformer.Training.Benchmarking;

/// <summary>A model with its optimizer, whatever they are made of: what a benchmark steps and compares.</summary>
public interface ITrainingStep : IDisposable
{
    /// <summary>Parameters by name; the same names in all implementations of an architecture.</summary>
    IEnumerable<(string Name, Parameter Parameter)> NamedParameters { get; }

    /// <summary>Loss and gradients of a batch.</summary>
    /// <param name="tokens">Ids, int64, [B, T].</param>
    /// <param name="targets">The id after each, int64, [B, T].</param>
    /// <returns>The loss in nats per token.</returns>
    double ForwardBackward(Tensor tokens, Tensor targets);

    /// <summary>Clipping where the architecture clips, update, constraint; gradients are empty afterwards.</summary>
    /// <param name="learningRate">Learning rate.</param>
    void Update(double learningRate);
}
