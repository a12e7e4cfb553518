using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>Queries, keys and values: norm, gain, rotary positions and the head layout.</content>
internal static partial class CudaOperators
{
    /// <summary>Splits one product [q | k | v] into heads, normalizes and turns queries and keys.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="qkv">T [B, T, 3d].</param>
    /// <param name="heads">H; d_h = d / H is even.</param>
    /// <param name="norm">How queries and keys are normalized.</param>
    /// <param name="queryGain">fp32 [d_h] for RMSNorm, else [H, d_h]; null for ones.</param>
    /// <param name="keyGain">
    /// The same for keys; with <see cref="QueryKeyNorm.L2"/> or no norm, the same tensor as the queries'.
    /// </param>
    /// <param name="cosine">fp32 [≥ start + T, d_h/2].</param>
    /// <param name="sine">fp32, the same shape.</param>
    /// <param name="start">The first token's position.</param>
    /// <param name="queryFactor">What queries are multiplied by in the end, for the softmax scale.</param>
    /// <param name="epsilon">ε of RMSNorm.</param>
    /// <returns>
    /// q, k and v, T [B, H, T, d_h], and the reciprocal norms of q and k, fp32 [B·T, H] (undefined without norm), for
    /// the backward pass.
    /// </returns>
    public static (Tensor Query, Tensor Key, Tensor Value, Tensor QueryReciprocal,
        Tensor KeyReciprocal) QueryKeyForward(
        CudaKernels kernels, Tensor qkv, int heads, QueryKeyNorm norm, Tensor? queryGain, Tensor? keyGain,
        Tensor cosine,
        Tensor sine, long start, double queryFactor, double epsilon = 0)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var dtype = Activation(kernels, qkv, nameof(qkv));
        var size = HeadSize(qkv, heads);
        RequireGains(kernels, norm, queryGain, keyGain, heads, size);
        RequireAngles(kernels, cosine, sine, start, qkv.shape[1], size);
        long[] shape = [qkv.shape[0], heads, qkv.shape[1], size];
        var (q, k) = (kernels.Launcher.Empty(shape, dtype), kernels.Launcher.Empty(shape, dtype));
        var v = kernels.Launcher.Empty(shape, dtype);
        var tokens = qkv.shape[0] * qkv.shape[1];
        var (ofQ, ofK) = (Single(kernels, tokens, heads), Single(kernels, tokens, heads));
        var angles = start * (size / 2) * sizeof(float);
        kernels.QueryKeyForward(dtype, new()
        {
            Qkv = At(qkv),
            QueryGain = At(queryGain),
            KeyGain = At(keyGain),
            Cosine = At(cosine) + (nint)angles,
            Sine = At(sine) + (nint)angles,
            Q = At(q),
            K = At(k),
            V = At(v),
            QueryReciprocal = At(ofQ),
            KeyReciprocal = At(ofK),
            Tokens = tokens,
            Length = (int)qkv.shape[1],
            Heads = heads,
            HeadSize = size,
            Mode = (int)norm,
            GainStride = norm == QueryKeyNorm.Rms ? 0 : size,
            Epsilon = (float)epsilon,
            QueryFactor = (float)queryFactor,
        });
        return (q, k, v, ofQ, ofK);
    }

    /// <summary>The gradients of <see cref="QueryKeyForward"/>.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="queryGradient">
    /// T [B, H, T, d_h]; only d_h must be contiguous, so that attention's gradients pass as they are.
    /// </param>
    /// <param name="keyGradient">The same for keys.</param>
    /// <param name="valueGradient">The same for values.</param>
    /// <param name="qkv">As in the forward pass.</param>
    /// <param name="norm">As in the forward pass.</param>
    /// <param name="queryGain">As in the forward pass.</param>
    /// <param name="keyGain">As in the forward pass.</param>
    /// <param name="cosine">As in the forward pass.</param>
    /// <param name="sine">As in the forward pass.</param>
    /// <param name="queryReciprocal">From the forward pass.</param>
    /// <param name="keyReciprocal">From the forward pass.</param>
    /// <param name="start">As in the forward pass.</param>
    /// <param name="queryFactor">As in the forward pass.</param>
    /// <returns>
    /// The gradient of qkv, T [B, T, 3d], and of the gains, null where they are: for RMSNorm fp32 [2, d_h], queries'
    /// and keys', else fp32 [H, d_h] of the scale that both share.
    /// </returns>
    public static (Tensor Qkv, Tensor? Gains) QueryKeyBackward(
        CudaKernels kernels, Tensor queryGradient, Tensor keyGradient, Tensor valueGradient, Tensor qkv,
        QueryKeyNorm norm,
        Tensor? queryGain, Tensor? keyGain, Tensor cosine, Tensor sine, Tensor queryReciprocal, Tensor keyReciprocal,
        long start, double queryFactor)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(queryGradient);
        var dtype = Activation(kernels, qkv, nameof(qkv));
        var heads = queryGradient.dim() == 4 ? (int)queryGradient.shape[1] : 0;
        var size = HeadSize(qkv, heads);
        RequireGains(kernels, norm, queryGain, keyGain, heads, size);
        RequireAngles(kernels, cosine, sine, start, qkv.shape[1], size);
        long[] shape = [qkv.shape[0], heads, qkv.shape[1], size];
        var tokens = qkv.shape[0] * qkv.shape[1];
        Require(kernels, queryReciprocal, nameof(queryReciprocal), ScalarType.Float32, [tokens, heads]);
        Require(kernels, keyReciprocal, nameof(keyReciprocal), ScalarType.Float32, [tokens, heads]);
        var dqkv = kernels.Launcher.Empty(qkv.shape, dtype);
        var rms = norm == QueryKeyNorm.Rms;
        var gains = queryGain is null ? null : rms ? Single(kernels, 2, size) : Single(kernels, heads, size);
        var angles = start * (size / 2) * sizeof(float);
        var arguments = new QueryKeyBackwardArguments
        {
            DQ = At(queryGradient),
            DK = At(keyGradient),
            DV = At(valueGradient),
            DQStrides = Strides(kernels, queryGradient, nameof(queryGradient), dtype, shape),
            DKStrides = Strides(kernels, keyGradient, nameof(keyGradient), dtype, shape),
            DVStrides = Strides(kernels, valueGradient, nameof(valueGradient), dtype, shape),
            Qkv = At(qkv),
            QueryGain = At(queryGain),
            KeyGain = At(keyGain),
            Cosine = At(cosine) + (nint)angles,
            Sine = At(sine) + (nint)angles,
            QueryReciprocal = At(queryReciprocal),
            KeyReciprocal = At(keyReciprocal),
            DQkv = At(dqkv),
            Tokens = tokens,
            Length = (int)qkv.shape[1],
            Heads = heads,
            HeadSize = size,
            Mode = (int)norm,
            GainStride = rms ? 0 : size,
            QueryFactor = (float)queryFactor,
        };
        kernels.QueryKeyBackward(dtype, arguments, At(gains));
        return (dqkv, gains);
    }

    private static int HeadSize(Tensor qkv, int heads)
    {
        if (qkv.dim() != 3 || qkv.numel() == 0 || heads is < 1 or > 65_535 || qkv.shape[2] % (6L * heads) != 0
            || qkv.shape[2] / 3 / heads > 4096 || qkv.shape[1] > int.MaxValue)
        {
            throw new ArgumentException(
                $"qkv of shape [{string.Join(", ", qkv.shape)}] is not [B, T, 3d] with d/{heads} even and at most "
                    + "4096.",
                nameof(qkv));
        }

        return (int)(qkv.shape[2] / 3 / heads);
    }

    private static void RequireGains(
        CudaKernels kernels, QueryKeyNorm norm, Tensor? query, Tensor? key, int heads, int size)
    {
        if ((query is null) != (key is null))
            throw new ArgumentException("Queries and keys both have a gain, or neither.", nameof(key));
        if (norm != QueryKeyNorm.Rms && At(query) != At(key))
            throw new ArgumentException("Queries and keys share one scale.", nameof(key));
        ReadOnlySpan<long> shape = norm == QueryKeyNorm.Rms ? [size] : [heads, size];
        Require(kernels, query, nameof(query), ScalarType.Float32, shape);
        Require(kernels, key, nameof(key), ScalarType.Float32, shape);
    }

    private static void RequireAngles(
        CudaKernels kernels, Tensor cosine, Tensor sine, long start, long length, int size)
    {
        if (start < 0 || cosine.dim() != 2 || cosine.shape[0] < start + length)
            throw new ArgumentException(
                $"There are no angles for positions {start} to {start + length - 1}.", nameof(cosine));
        Require(kernels, cosine, nameof(cosine), ScalarType.Float32, [cosine.shape[0], size / 2]);
        Require(kernels, sine, nameof(sine), ScalarType.Float32, cosine.shape);
    }

    private static TensorStrides Strides(
        CudaKernels kernels, Tensor tensor, string name, ScalarType dtype, long[] shape)
    {
        RequireElements(kernels, tensor, name, dtype, shape);
        var strides = tensor.stride();
        if (strides[3] != 1 && shape[3] != 1)
            throw new ArgumentException($"{name} is not contiguous in its last dimension.", name);
        return new() { Batch = strides[0], Head = strides[1], Position = strides[2] };
    }
}
