namespace AnTransformer.Inference.Execution;

/// <summary>
/// Cosines and sines of rotary positions, [T, d_h/2], computed as far as positions have been reached.
/// </summary>
/// <param name="theta">Base of the frequencies.</param>
/// <param name="headSize">d_h.</param>
/// <param name="capacity">T.</param>
internal sealed unsafe class RotaryTable(double theta, int headSize, int capacity) : IDisposable
{
    private readonly NativeBuffer _cosines = NativeBuffer.OfFloats((long)capacity * headSize / 2);
    private readonly NativeBuffer _sines = NativeBuffer.OfFloats((long)capacity * headSize / 2);
    private readonly double[] _frequencies =
        [.. Enumerable.Range(0, headSize / 2).Select(i => Math.Pow(theta, -i / (double)(headSize / 2)))];
    private int _known;

    /// <summary>Computes what positions below a length need.</summary>
    /// <param name="length">At most T.</param>
    public void Reserve(int length)
    {
        for (; _known < length; _known++)
        {
            for (var i = 0; i < _frequencies.Length; i++)
            {
                var (sine, cosine) = Math.SinCos(_known * _frequencies[i]);
                Cosines(_known)[i] = (float)cosine;
                Sines(_known)[i] = (float)sine;
            }
        }
    }

    /// <summary>A position's cosines, [d_h/2].</summary>
    /// <param name="position">Below what was reserved.</param>
    public float* Cosines(int position) => _cosines.Floats + ((long)position * _frequencies.Length);

    /// <summary>A position's sines, [d_h/2].</summary>
    /// <param name="position">Below what was reserved.</param>
    public float* Sines(int position) => _sines.Floats + ((long)position * _frequencies.Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }
}
