using AnTransformer.Architectures;
using AnTransformer.Configuration;
using AnTransformer.Normalization;
using CsCheck;
using static TorchSharp.torch;

namespace AnTransformer.Tests.Normalization;

public sealed class NormalizationTests
{
    [Fact]
    public void Quadrature_is_exact_for_moments()
    {
        Assert.Equal(1, GaussianExpectation.Of(_ => 1, 0.3), 1e-13);
        Assert.Equal(0.25, GaussianExpectation.Of(z => z * z, 0.5), 1e-13);
        Assert.Equal(3 * 16, GaussianExpectation.Of(z => z * z * z * z, 2), 1e-10);
        Assert.Equal(0.5, GaussianExpectation.Of(z => z > 0 ? z * z : 0, 1), 1e-13);    // half of E[z²]: a kink at zero
    }

    [Theory]
    [InlineData(0.5, 3.7203)]
    [InlineData(1.0, 1.6765)]
    public void Activation_factor_of_SiLU_has_the_published_values(double sigma, double expected)
        => Assert.Equal(expected, NormalizationFactors.OfActivation(NormalizationFactors.Silu, sigma), 5e-5);

    [Fact]
    public void Factors_have_the_values_of_the_paper_at_four_times_the_width()
    {
        var nu = NormalizationFactors.For(ArchitectureRegistry.CreateConfig("angpt", 100, 64, 4, 2, 16));
        Assert.Equal(2, nu.Qkv, 1e-12);         // √(64/16)
        Assert.Equal(0.5, nu.Output, 1e-12);
        Assert.Equal(0.5, nu.UpGate, 1e-12);
        Assert.Equal(2, nu.Down, 1e-12);
        Assert.Equal(3.7203, nu.Activation, 5e-5);
    }

    [Fact]
    public void Switches_turn_single_factors_to_one()
    {
        var config = ArchitectureRegistry.CreateConfig("angpt", 100, 64, 4, 2, 16);
        var nu = NormalizationFactors.For(config with { Factors = new FactorSwitches(Qkv: false, Activation: false) });
        Assert.Equal(1, nu.Qkv);
        Assert.Equal(1, nu.Activation);
        Assert.Equal(0.5, nu.UpGate, 1e-12);
    }

    [Fact]
    public void Residual_factor_restores_unit_norm_of_orthogonal_vectors()
        => Gen.Double[0, 1].Sample(alpha =>
            Math.Abs(NormalizationFactors.OfResidual(alpha) * Math.Sqrt(((1 - alpha) * (1 - alpha)) + (alpha * alpha)) - 1) < 1e-12);

    [Fact]
    public void Bounded_rows_end_inside_the_ball_and_rows_inside_stay_as_they_are()
        => Gen.Float[-2, 2].Array[24].Sample(values =>
        {
            using var scope = NewDisposeScope();
            var before = tensor(values).view(4, 6);
            var after = before.clone();
            RowConstraint.Bounded.Apply(after, dimension: 1);
            for (var row = 0; row < 4; row++)
            {
                var (old, now) = (before[row].norm().item<float>(), after[row].norm().item<float>());
                if (old <= 1)
                    Assert.True(before[row].equal(after[row]).all().item<bool>());
                else
                    Assert.InRange(now, 0.9999, 1.0001);
            }
        }, iter: 50);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Exact_vectors_end_on_the_sphere_and_none_changes_nothing(int dimension)
    {
        using var scope = NewDisposeScope();
        var matrix = randn(5, 7);
        var copy = matrix.clone();
        RowConstraint.None.Apply(copy, dimension);
        Assert.True(matrix.equal(copy).all().item<bool>());
        RowConstraint.Exact.Apply(copy, dimension);
        Assert.True(copy.square().sum(dimension).allclose(ones(dimension == 0 ? 7 : 5)));
    }
}
