using AnTransformer.Architectures;
using AnTransformer.Layers;
using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>
/// Takes the norms of all activations of a model and the moments of what its matrices are applied to, over any number
/// of passes.
/// </summary>
internal sealed class ActivationRecorder : IActivationObserver, IDisposable
{
    private readonly int _headSize;
    private readonly Dictionary<(int? Layer, Activation Activation), List<double[]>> _norms = [];
    private readonly Dictionary<(int? Layer, Activation Activation), InputMoments> _inputs;
    private readonly Dictionary<(int? Layer, Activation Activation), ResidualMoments> _updates = [];
    private Tensor? _stream;

    public ActivationRecorder(LanguageModel model)
    {
        _headSize = model.Config.HeadSize;
        _inputs = ModelMatrix.Of(model)
            .Where(matrix => matrix.Input is not null)
            .GroupBy(matrix => (matrix.Layer, matrix.Input!.Value))
            .ToDictionary(group => group.Key, group => new InputMoments([.. group]));
    }

    public void Observe(int? layer, Activation activation, Tensor value)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var vectors = activation.IsPerHead() ? value.reshape(-1, _headSize) : value;
        if (!_norms.TryGetValue((layer, activation), out var norms))
            _norms.Add((layer, activation), norms = []);
        var wide = vectors.dtype is ScalarType.Float64 ? vectors : vectors.to(ScalarType.Float32);
        norms.Add(Distribution.Numbers(wide.norm(-1, keepdim: false, p: 2).flatten()));
        if (_inputs.TryGetValue((layer, activation), out var input))
            input.Add(value);
        if (activation is Activation.AttentionOutput or Activation.MlpOutput)
            AddUpdate(layer, activation, value);
        if (activation is Activation.Embedding or Activation.StreamAfterAttention or Activation.StreamAfterMlp)
            Keep(value);
    }

    /// <summary>How updates lie to the stream, in the order of computation.</summary>
    public IEnumerable<ResidualUpdate> Updates()
        => InOrder(_updates)
            .Select(item => new ResidualUpdate(item.Key.Layer!.Value, item.Key.Activation, item.Value.Cosine));

    public void Dispose() => _stream?.Dispose();

    /// <summary>The norms, in the order of computation.</summary>
    public IEnumerable<ActivationNorm> Norms(PredictedNorms predicted)
        => InOrder(_norms).Select(item => new ActivationNorm(
            item.Key.Layer, item.Key.Activation, predicted[item.Key.Layer, item.Key.Activation], Distribution.Of(
                [.. item.Value.SelectMany(part => part)])));

    /// <summary>How the matrices' rows lie to the mean of their input, in the order of computation.</summary>
    public IEnumerable<MatrixAlignment> Alignments()
        => InOrder(_inputs).SelectMany(item => item.Value.Alignments(item.Key.Activation));

    private void AddUpdate(int? layer, Activation activation, Tensor value)
    {
        if (!_updates.TryGetValue((layer, activation), out var moments))
            _updates.Add((layer, activation), moments = new ResidualMoments());
        moments.Add(_stream!, value);
    }

    private void Keep(Tensor stream)
    {
        _stream?.Dispose();
        _stream = stream.detach().DetachFromDisposeScope();
    }

    private static IEnumerable<KeyValuePair<(int? Layer, Activation Activation), T>> InOrder<T>(
        Dictionary<(int? Layer, Activation Activation), T> items)
        => items.OrderBy(item => item.Key.Layer ?? (item.Key.Activation == Activation.Embedding ? -1 : int.MaxValue))
            .ThenBy(item => item.Key.Activation);
}
