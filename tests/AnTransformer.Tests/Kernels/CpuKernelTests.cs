using AnTransformer.Configuration;
using AnTransformer.Kernels;
using AnTransformer.Kernels.Cpu;
using AnTransformer.Normalization;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Kernels;

/// <summary>Each kernel, for each vector width, against TorchSharp's operators on lengths that no vector divides.</summary>
public sealed unsafe class CpuKernelTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string, int, int> Cases
    {
        get
        {
            var cases = new TheoryData<string, int, int>();
            foreach (var width in new[] { "512", "256", "128", "scalar" })
            {
                foreach (var (rows, n) in new[] { (1, 2), (3, 17), (5, 64), (4, 100), (2, 259) })
                    cases.Add(width, rows, n);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Products_with_a_vector_and_their_gradients(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        var kernels = Kernels(width);
        var (x, perChannel, perRow, g) = (Normal(rows, n), Normal(n), Normal(rows), Normal(rows, n));
        var y = zeros(rows, n);
        kernels.ScaleChannels(At(x), At(perChannel), At(y), rows, n);
        AssertNear(x * perChannel, y);
        var (dx, ds) = (zeros(rows, n), ones(n));
        kernels.ScaleChannelsBackward(At(g), At(x), At(perChannel), At(dx), At(ds), rows, n);
        AssertNear(g * perChannel, dx);
        AssertNear(1 + (g * x).sum(0L), ds);

        kernels.ScaleRows(At(x), At(perRow), At(y), rows, n);
        AssertNear(x * perRow.unsqueeze(1), y);
        var (dw, sums) = (ones(rows, n), zeros(rows));
        kernels.ScaleRowsBackward(At(g), At(x), At(perRow), At(dw), At(sums), rows, n);
        AssertNear(1 + (g * perRow.unsqueeze(1)), dw);
        AssertNear((g * x).sum(1L), sums);

        kernels.AddScaled(At(y), At(g), 0.5f, rows * n);
        AssertNear((x * perRow.unsqueeze(1)) + (g * 0.5), y);
        Assert.Equal(x.square().sum().item<float>(), kernels.SumOfSquares(At(x), rows * n), 1e-4 * rows * n);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Bounded_functions_and_their_gradients(string width, int rows, int n)
    {
        var kernels = Kernels(width);
        foreach (var function in new[] { Squashing.Tanh, Squashing.Erf })
        {
            using var scope = NewDisposeScope();
            var (a, s) = (1.7f, 0.3f);
            var (x, gain, bias, g) = (Normal(rows, n), Normal(n), Normal(n), Normal(rows, n));
            // The ends, the middle, and where erf changes its formula.
            x[0, 0] = 40f;
            x[0, 1] = -s / a;
            var z = (x * a) + s;
            var value = function == Squashing.Tanh ? z.tanh() : z.erf();
            var derivative = function == Squashing.Tanh ? 1 - value.square() : (2 / Math.Sqrt(Math.PI)) * (-z.square()).exp();
            var y = zeros(rows, n);
            kernels.Squash(function, At(x), a, s, At(gain), At(bias), At(y), rows, n);
            AssertNear((value * gain) + bias, y);

            var (dx, dgain, dbias, sums) = (zeros(rows, n), ones(n), ones(n), ones(2));
            kernels.SquashBackward(function, At(g), At(x), a, s, At(gain), At(dx), At(dgain), At(dbias), At(sums), At(sums) + 1, rows, n);
            var dz = g * gain * derivative;
            AssertNear(dz * a, dx);
            AssertNear(1 + (g * value).sum(0L), dgain);
            AssertNear(1 + g.sum(0L), dbias);
            Assert.Equal(1 + (dz * x).sum().item<float>(), sums[0].item<float>(), 1e-5 * rows * n);
            Assert.Equal(1 + dz.sum().item<float>(), sums[1].item<float>(), 1e-5 * rows * n);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void RmsNorm_and_its_gradients(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        var kernels = Kernels(width);
        var (x, gain, g) = (Normal(rows, n).requires_grad_(), Normal(n).requires_grad_(), Normal(rows, n));
        var expected = Norms.Rms(x, 1e-6) * gain;
        expected.backward([g]);
        var (y, dx, dgain) = (zeros(rows, n), zeros(rows, n), zeros(n));
        kernels.RmsNorm(At(x), At(gain), At(y), rows, n, 1e-6f);
        kernels.RmsNormBackward(At(g), At(x), At(gain), At(dx), At(dgain), rows, n, 1e-6f);
        AssertNear(expected, y);
        AssertNear(x.grad!, dx);
        AssertNear(gain.grad!, dgain);
        AssertNear(expected, g);        // in place of its gradient
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void SwiGlu_and_its_gradients(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        var kernels = Kernels(width);
        var (gateUp, g) = ((4 * Normal(rows, 2 * n)).requires_grad_(), Normal(rows, n));
        var halves = gateUp.chunk(2, -1);
        var expected = halves[1] * nn.functional.silu(halves[0] * 3);
        expected.backward([g]);
        var (m, overwritten) = (zeros(rows, n), gateUp.detach().clone());
        kernels.SwiGlu(At(gateUp), At(m), rows, n, 3);
        kernels.SwiGluBackward(At(g), At(overwritten), rows, n, 3);
        AssertNear(expected, m);
        AssertNear(gateUp.grad!, overwritten);
        AssertNear(expected, g);        // in place of its gradient
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_update_on_the_sphere_and_its_gradients(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        var kernels = Kernels(width);
        var (h, x, a) = (Norms.L2(Normal(rows, n)).requires_grad_(), Normal(rows, n).requires_grad_(), rand(n).requires_grad_());
        var g = Normal(rows, n);
        var expected = Norms.L2(h + (a * (Norms.L2(x) - h)));
        expected.backward([g]);
        var (y, dh, dx, da) = (zeros(rows, n), zeros(rows, n), zeros(rows, n), zeros(n));
        kernels.SphereUpdate(At(h), At(x), At(a), At(y), rows, n);
        kernels.SphereUpdateBackward(At(g), At(h), At(x), At(a), At(dh), At(dx), At(da), rows, n);
        AssertNear(expected, y);
        AssertNear(h.grad!, dh);
        AssertNear(x.grad!, dx);
        AssertNear(a.grad!, da);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Cross_entropy_and_its_gradient(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        var kernels = Kernels(width);
        var logits = (10 * Normal(rows, n)).requires_grad_();
        var targets = randint(n, rows, dtype: int64);
        var expected = nn.functional.cross_entropy(logits, targets, reduction: nn.Reduction.None);
        (expected.sum() * 0.25).backward();
        var (losses, inference, overwritten) = (zeros(rows), zeros(rows), logits.detach().clone());
        kernels.CrossEntropy(At(overwritten), TensorMemory.Longs(targets), At(inference), rows, n, gradientFactor: 0);
        kernels.CrossEntropy(At(overwritten), TensorMemory.Longs(targets), At(losses), rows, n, gradientFactor: 0.25f);
        AssertNear(expected, losses);
        AssertNear(expected, inference);
        AssertNear(logits.grad!, overwritten);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Adam_with_decay_and_the_row_constraint(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var kernels = Kernels(width);
        foreach (var constraint in Enum.GetValues<RowConstraint>())
        {
            var (w, g, mean, square) = (Normal(rows, n), Normal(rows, n), Normal(rows, n), Normal(rows, n).square());
            var expectedMean = (0.9 * mean) + (0.1 * 0.5 * g);
            var expectedSquare = (0.95 * square) + (0.05 * (0.5 * g).square());
            var expected = (w * 0.99) - (0.1 * expectedMean / ((expectedSquare.sqrt() * 2) + 1e-8));
            constraint.Apply(expected, 1);
            kernels.Adam(At(w), At(g), At(mean), At(square), rows, n, new AdamStep(0.9f, 0.95f, 0.1f, 0.05f, 1e-8f, 0.1f, 2, 0.99f, 0.5f), constraint);
            AssertNear(expected, w);
            AssertNear(expectedMean, mean);
            AssertNear(expectedSquare, square);
            AssertNear(zeros(rows, n), g);
            if (constraint == RowConstraint.None)
                continue;
            var columns = Normal(rows, n);
            expected = columns.clone();
            constraint.Apply(expected, 0);
            for (var from = 0; from < n; from += 64)
                kernels.ConstrainColumns(At(columns), rows, n, from, Math.Min(n, from + 64), constraint);
            AssertNear(expected, columns);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Lion_with_decay_and_the_row_constraint(string width, int rows, int n)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (kernels, step) = (Kernels(width), new LionStep(0.9f, 0.99f, 0.1f, 0.01f, 0.1f, 0.99f, 0.5f));
        foreach (var constraint in Enum.GetValues<RowConstraint>())
        {
            var (w, g, momentum) = (Normal(rows, n), Normal(rows, n), Normal(rows, n));
            // Numbers of all sizes have a sign, and zero has none.
            (g[0, 0], momentum[0, 0], momentum[^1, ^1]) = (0, 0, 0);
            g[^1, ^1] = rows * n > 1 ? -1e-40f : 0;
            var direction = ((0.9 * momentum) + (0.1 * 0.5 * g)).sign();
            var tiny = rows * n > 1 ? -1f : 0;
            (direction[0, 0], direction[^1, ^1]) = (0, tiny);
            var expectedMomentum = (0.99 * momentum) + (0.01 * 0.5 * g);
            var expected = (w * 0.99) - (0.1 * direction);
            constraint.Apply(expected, 1);
            var (gradient, kept) = (g.clone(), momentum.clone());
            kernels.Lion(At(w), At(g), At(momentum), rows, n, step, constraint);
            kernels.LionDirection(At(gradient), At(kept), (long)rows * n, step);
            AssertNear(expected, w);
            AssertNear(expectedMomentum, momentum);
            AssertNear(zeros(rows, n), g);
            AssertNear(direction, gradient);
            AssertNear(momentum, kept);
        }
    }

    [Theory]
    [InlineData("512")]
    [InlineData("256")]
    [InlineData("128")]
    [InlineData("scalar")]
    public void The_exponential_is_exact_to_two_units_in_the_last_place(string width)
    {
        for (var x = -87f; x < 88; x += 0.0037f)
        {
            var actual = width switch
            {
                "512" => Exp<Simd512>(x),
                "256" => Exp<Simd256>(x),
                "128" => Exp<Simd128>(x),
                _ => Exp<SimdScalar>(x),
            };
            Assert.InRange(actual / Math.Exp(x), 1 - 2.4e-7, 1 + 2.4e-7);
        }

        Assert.True(float.IsNaN(Exp<Simd512>(float.NaN)) && float.IsNaN(Exp<SimdScalar>(float.NaN)), "not a number stays one");
        Assert.InRange(Exp<Simd256>(-1000), 0, 1.3e-38f);
    }

    private static float Exp<V>(float x)
        where V : struct, ISimd<V>
    {
        var result = stackalloc float[16];
        SimdMath.Exp(V.Broadcast(x)).Store(result);
        return result[V.Width - 1];
    }

    private static CpuKernels Kernels(string width) => width switch
    {
        "512" => new CpuKernels<Simd512>(),
        "256" => new CpuKernels<Simd256>(),
        "128" => new CpuKernels<Simd128>(),
        _ => new CpuKernels<SimdScalar>(),
    };

    private static Tensor Normal(params long[] shape) => randn(shape);

    private static float* At(Tensor tensor) => TensorMemory.Floats(tensor);

    private static void AssertNear(Tensor expected, Tensor actual)
    {
        using var noGrad = no_grad();
        var error = (expected - actual).abs().max().item<float>();
        Assert.True(error <= Tolerance * Math.Max(1, expected.abs().max().item<float>()), $"differs by {error}");
    }
}
