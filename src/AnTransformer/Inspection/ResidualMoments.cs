using static TorchSharp.torch;

namespace AnTransformer.Inspection;

/// <summary>Second moments of the stream and of what is added to it.</summary>
internal sealed class ResidualMoments
{
    private double _product;
    private double _streamSquares;
    private double _updateSquares;

    public double Cosine => _product / Math.Sqrt(_streamSquares * _updateSquares);

    public void Add(Tensor stream, Tensor update)
    {
        using var scope = NewDisposeScope();
        var x = update.to(stream.dtype);
        _product += Sum(stream * x);
        _streamSquares += Sum(stream.square());
        _updateSquares += Sum(x.square());
    }

    private static double Sum(Tensor x) => x.sum(ScalarType.Float64).item<double>();
}
