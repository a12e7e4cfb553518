namespace AnTransformer.Kernels.Cpu;

/// <content>Queries and keys: normalization and rotary positions in one pass over a head's rows.</content>
internal sealed unsafe partial class CpuKernels<V>
{
    private const float SmallestNorm = 1e-12f;

    public override void Rotate(
        float* x, long stride, QueryKeyNorm norm, float* scale, float* cos, float* sin, float* y, int rows, int dh,
        float factor,
        float epsilon)
    {
        var half = dh / 2;
        var gain = norm == QueryKeyNorm.Rms ? scale : null;
        for (var row = 0; row < rows; row++, x += stride, y += dh, cos += half, sin += half)
        {
            // A rotation keeps the norm, so the factor of either normalization is known before it.
            var f = factor * InverseNorm(x, norm, dh, epsilon);
            var i = 0;
            Turn<V>(x, gain, cos, sin, y, f, ref i, half);
            Turn<SimdScalar>(x, gain, cos, sin, y, f, ref i, half);
            if (norm != QueryKeyNorm.Rms && scale != null)
            {
                i = 0;
                Multiply<V>(y, scale, y, ref i, dh);
                Multiply<SimdScalar>(y, scale, y, ref i, dh);
            }
        }

        static void Turn<W>(float* x, float* gain, float* cos, float* sin, float* y, float f, ref int i, int half)
            where W : struct, ISimd<W>
        {
            var factor = W.Broadcast(f);
            for (; i + W.Width <= half; i += W.Width)
            {
                var (first, second) = (W.Load(x + i) * factor, W.Load(x + half + i) * factor);
                if (gain != null)
                    (first, second) = (first * W.Load(gain + i), second * W.Load(gain + half + i));
                var (c, s) = (W.Load(cos + i), W.Load(sin + i));
                ((first * c) - (second * s)).Store(y + i);
                W.MultiplyAdd(second, c, first * s).Store(y + half + i);
            }
        }
    }

    // With x̂ = f x and y = R x̂ (R a rotation): dx = f (Rᵀ dy − x (x · Rᵀ dy) / (norm² or n RMS²)), gain and scale as
    // factors of x̂ and y.
    public override void RotateBackward(
        float* dy, float* x, long stride, QueryKeyNorm norm, float* scale, float* cos, float* sin, float* dx,
        long dxStride,
        float* dscale, int rows, int dh, float factor, float epsilon)
    {
        var half = dh / 2;
        for (var row = 0; row < rows; row++, x += stride, dy += dh, dx += dxStride, cos += half, sin += half)
        {
            var inverse = InverseNorm(x, norm, dh, epsilon);
            var i = 0;
            if (norm != QueryKeyNorm.Rms && scale != null)
            {
                Unscale<V>(dy, x, scale, cos, sin, dscale, factor * inverse, ref i, half);
                Unscale<SimdScalar>(dy, x, scale, cos, sin, dscale, factor * inverse, ref i, half);
                i = 0;
            }

            TurnBack<V>(dy, cos, sin, ref i, half);
            TurnBack<SimdScalar>(dy, cos, sin, ref i, half);
            var along = 0f;
            if (norm == QueryKeyNorm.Rms)
            {
                i = 0;
                Ungain<V>(dy, x, scale, dscale, factor * inverse, ref i, dh);
                Ungain<SimdScalar>(dy, x, scale, dscale, factor * inverse, ref i, dh);
                along = -Dot(dy, x, dh) * inverse * inverse / dh;
            }
            else if (norm == QueryKeyNorm.L2)
            {
                along = -Dot(dy, x, dh) * inverse * inverse;
            }

            i = 0;
            Combine<V>(dy, x, dx, along, factor * inverse, ref i, dh);
            Combine<SimdScalar>(dy, x, dx, along, factor * inverse, ref i, dh);
        }

        // y = scale ⊙ r, r = f R x: dscale += dy ⊙ r, then dy ← dy ⊙ scale.
        static void Unscale<W>(
            float* dy, float* x, float* scale, float* cos, float* sin, float* dscale, float f, ref int i, int half)
            where W : struct, ISimd<W>
        {
            var factor = W.Broadcast(f);
            for (; i + W.Width <= half; i += W.Width)
            {
                var (first, second) = (W.Load(x + i) * factor, W.Load(x + half + i) * factor);
                var (c, s) = (W.Load(cos + i), W.Load(sin + i));
                var (g1, g2) = (W.Load(dy + i), W.Load(dy + half + i));
                W.MultiplyAdd(g1, (first * c) - (second * s), W.Load(dscale + i)).Store(dscale + i);
                W.MultiplyAdd(g2, W.MultiplyAdd(second, c, first * s), W.Load(dscale + half + i))
                    .Store(dscale + half + i);
                (g1 * W.Load(scale + i)).Store(dy + i);
                (g2 * W.Load(scale + half + i)).Store(dy + half + i);
            }
        }

        static void TurnBack<W>(float* dy, float* cos, float* sin, ref int i, int half)
            where W : struct, ISimd<W>
        {
            for (; i + W.Width <= half; i += W.Width)
            {
                var (first, second) = (W.Load(dy + i), W.Load(dy + half + i));
                var (c, s) = (W.Load(cos + i), W.Load(sin + i));
                W.MultiplyAdd(first, c, second * s).Store(dy + i);
                ((second * c) - (first * s)).Store(dy + half + i);
            }
        }

        static void Ungain<W>(float* dy, float* x, float* gain, float* dgain, float f, ref int i, int dh)
            where W : struct, ISimd<W>
        {
            var factor = W.Broadcast(f);
            for (; i + W.Width <= dh; i += W.Width)
            {
                var g = W.Load(dy + i);
                W.MultiplyAdd(g, W.Load(x + i) * factor, W.Load(dgain + i)).Store(dgain + i);
                (g * W.Load(gain + i)).Store(dy + i);
            }
        }

        static void Combine<W>(float* dy, float* x, float* dx, float along, float f, ref int i, int dh)
            where W : struct, ISimd<W>
        {
            var (a, factor) = (W.Broadcast(along), W.Broadcast(f));
            for (; i + W.Width <= dh; i += W.Width)
                (factor * W.MultiplyAdd(a, W.Load(x + i), W.Load(dy + i))).Store(dx + i);
        }
    }

    private static float InverseNorm(float* x, QueryKeyNorm norm, int dh, float epsilon) => norm switch
    {
        QueryKeyNorm.Rms => InverseRms(x, dh, epsilon),
        QueryKeyNorm.L2 => 1 / MathF.Max(MathF.Sqrt(Dot(x, x, dh)), SmallestNorm),
        _ => 1,
    };
}
