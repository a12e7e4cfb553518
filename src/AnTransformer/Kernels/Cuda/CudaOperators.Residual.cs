using static TorchSharp.torch;

namespace AnTransformer.Kernels.Cuda;

/// <content>Residual updates: anGPT's interpolation and nGPT's normalized step.</content>
internal static partial class CudaOperators
{
    /// <summary>out = keep ⊙ h + update ⊙ x; for anGPT keep is ν(α)(1−α), update ν(α)α.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="h">The residual stream, fp32 [..., d].</param>
    /// <param name="x">The block's output, T [..., d].</param>
    /// <param name="keep">fp32 [d].</param>
    /// <param name="update">fp32 [d].</param>
    /// <param name="withCast">Whether to write the result in x's dtype as well, for the next matrix product.</param>
    /// <returns>The new stream, fp32 [..., d], and its copy in T or null.</returns>
    public static (Tensor Stream, Tensor? Cast) InterpolateForward(
        CudaKernels kernels, Tensor h, Tensor x, Tensor keep, Tensor update, bool withCast = false)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(h);
        var dtype = Activation(kernels, x, nameof(x));
        Require(kernels, h, nameof(h), ScalarType.Float32, x.shape);
        Require(kernels, keep, nameof(keep), ScalarType.Float32, [columns]);
        Require(kernels, update, nameof(update), ScalarType.Float32, [columns]);
        var stream = Single(kernels, h.shape);
        var cast = withCast ? kernels.Launcher.Empty(h.shape, dtype) : null;
        kernels.ResidualForward(dtype, new()
        {
            H = At(h),
            X = At(x),
            Keep = At(keep),
            Update = At(update),
            Out = At(stream),
            Cast = At(cast),
            Rows = rows,
            Columns = columns,
        });
        return (stream, cast);
    }

    /// <summary>The gradients of <see cref="InterpolateForward"/>.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="gradient">Of the stream, fp32 [..., d], or null for none.</param>
    /// <param name="castGradient">Of the copy, T [..., d], or null for none.</param>
    /// <param name="h">As in the forward pass.</param>
    /// <param name="x">As in the forward pass.</param>
    /// <param name="keep">As in the forward pass.</param>
    /// <param name="update">As in the forward pass.</param>
    /// <returns>Gradients: fp32 [..., d], T [..., d], fp32 [d], fp32 [d] (the last two share memory).</returns>
    public static (Tensor H, Tensor X, Tensor Keep, Tensor Update) InterpolateBackward(
        CudaKernels kernels, Tensor? gradient, Tensor? castGradient, Tensor h, Tensor x, Tensor keep, Tensor update)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(h);
        var dtype = Activation(kernels, x, nameof(x));
        Require(kernels, gradient, nameof(gradient), ScalarType.Float32, x.shape);
        Require(kernels, castGradient, nameof(castGradient), dtype, x.shape);
        Require(kernels, h, nameof(h), ScalarType.Float32, x.shape);
        Require(kernels, keep, nameof(keep), ScalarType.Float32, [columns]);
        Require(kernels, update, nameof(update), ScalarType.Float32, [columns]);
        var dh = Single(kernels, h.shape);
        var dx = kernels.Launcher.Empty(h.shape, dtype);
        using var factors = Single(kernels, 2, columns);
        var arguments = new ResidualBackwardArguments
        {
            Gradient = At(gradient),
            CastGradient = At(castGradient),
            H = At(h),
            X = At(x),
            Keep = At(keep),
            Update = At(update),
            DH = At(dh),
            DX = At(dx),
            Rows = rows,
            Columns = columns,
        };
        kernels.ResidualBackward(dtype, arguments, At(factors));
        return (dh, dx, factors.select(0, 0), factors.select(0, 1));
    }

    /// <summary>out = L2(h + |α| ⊙ (L2(o) − h)), nGPT's update.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="h">The residual stream, fp32 [..., d].</param>
    /// <param name="o">The block's output, T [..., d].</param>
    /// <param name="alpha">fp32 [d], of either sign.</param>
    /// <param name="withCast">Whether to write the result in o's dtype as well, for the next matrix product.</param>
    /// <returns>
    /// The new stream, fp32 [..., d], its copy in T or null, and what the backward pass needs: two fp32 [rows].
    /// </returns>
    public static (Tensor Stream, Tensor? Cast, Tensor OReciprocal, Tensor UReciprocal) NormalizedUpdateForward(
        CudaKernels kernels, Tensor h, Tensor o, Tensor alpha, bool withCast = false)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(h);
        var dtype = Activation(kernels, o, nameof(o));
        Require(kernels, h, nameof(h), ScalarType.Float32, o.shape);
        Require(kernels, alpha, nameof(alpha), ScalarType.Float32, [columns]);
        var stream = Single(kernels, h.shape);
        var cast = withCast ? kernels.Launcher.Empty(h.shape, dtype) : null;
        var (ofO, ofU) = (Single(kernels, rows), Single(kernels, rows));
        kernels.NormalizedForward(dtype, new()
        {
            H = At(h),
            O = At(o),
            Alpha = At(alpha),
            Out = At(stream),
            Cast = At(cast),
            OReciprocal = At(ofO),
            UReciprocal = At(ofU),
            Rows = rows,
            Columns = columns,
        });
        return (stream, cast, ofO, ofU);
    }

    /// <summary>The gradients of <see cref="NormalizedUpdateForward"/>.</summary>
    /// <param name="kernels">The device's kernels.</param>
    /// <param name="gradient">Of the stream, fp32 [..., d], or null for none.</param>
    /// <param name="castGradient">Of the copy, T [..., d], or null for none.</param>
    /// <param name="h">As in the forward pass.</param>
    /// <param name="o">As in the forward pass.</param>
    /// <param name="alpha">As in the forward pass.</param>
    /// <param name="oReciprocal">From the forward pass, fp32 [rows].</param>
    /// <param name="uReciprocal">From the forward pass, fp32 [rows].</param>
    /// <returns>Gradients: fp32 [..., d], T [..., d], fp32 [d].</returns>
    public static (Tensor H, Tensor O, Tensor Alpha) NormalizedUpdateBackward(
        CudaKernels kernels, Tensor? gradient, Tensor? castGradient, Tensor h, Tensor o, Tensor alpha,
        Tensor oReciprocal,
        Tensor uReciprocal)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        var (rows, columns) = Matrix(h);
        var dtype = Activation(kernels, o, nameof(o));
        Require(kernels, gradient, nameof(gradient), ScalarType.Float32, o.shape);
        Require(kernels, castGradient, nameof(castGradient), dtype, o.shape);
        Require(kernels, h, nameof(h), ScalarType.Float32, o.shape);
        Require(kernels, alpha, nameof(alpha), ScalarType.Float32, [columns]);
        Require(kernels, oReciprocal, nameof(oReciprocal), ScalarType.Float32, [rows]);
        Require(kernels, uReciprocal, nameof(uReciprocal), ScalarType.Float32, [rows]);
        var dh = Single(kernels, h.shape);
        var dout = kernels.Launcher.Empty(h.shape, dtype);
        var dalpha = Single(kernels, columns);
        var arguments = new NormalizedBackwardArguments
        {
            Gradient = At(gradient),
            CastGradient = At(castGradient),
            H = At(h),
            O = At(o),
            Alpha = At(alpha),
            OReciprocal = At(oReciprocal),
            UReciprocal = At(uReciprocal),
            DH = At(dh),
            DOut = At(dout),
            Rows = rows,
            Columns = columns,
        };
        kernels.NormalizedBackward(dtype, arguments, At(dalpha));
        return (dh, dout, dalpha);
    }
}
