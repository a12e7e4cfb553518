using AnTransformer.Kernels.Cpu;

namespace AnTransformer.Tests.Kernels;

/// <summary>Whose products run is measured once and kept; a file that is damaged or cannot be kept is no reason to stop.</summary>
public sealed class ProductChoiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("angpt-products-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_faster_one_of_each_class_runs_and_our_own_where_they_are_equal()
    {
        ProductRates[] rates = [new(100, 90), new(100, 102), new(100, 104), new(50, 100), new(100, 50), new(1, 1), new(2, 3)];
        var choice = ProductMeasurement.Choose(rates);
        Assert.Equal([true, true, false, false, true, true, false], Enumerable.Range(0, 7).Select(choice.IsOwn));
        Assert.Equal("own+mkl:1100110", choice.Describe("mkl"));
        Assert.Equal("own", ProductChoice.Own.Describe("mkl"));
        Assert.Equal("mkl", ProductChoice.Blas.Describe("mkl"));
    }

    [Theory]
    [InlineData(false, true, 2048, 256, 64, "small A Bᵀ")]
    [InlineData(false, true, 4096, 1024, 256, "large A Bᵀ")]
    [InlineData(false, false, 4096, 256, 1024, "large A B")]
    [InlineData(true, false, 256, 256, 4096, "large Aᵀ B")]
    [InlineData(true, false, 64, 64, 2048, "small Aᵀ B")]
    public void Classes_are_of_what_is_transposed_and_of_size(bool transposeA, bool transposeB, long m, long n, long k, string name)
        => Assert.Equal(name, ProductChoice.ClassNames[ProductChoice.ClassOf(transposeA, transposeB, m, n, k)]);

    [Fact]
    public void It_is_measured_once_and_again_where_the_file_is_damaged()
    {
        var path = Path.Combine(_folder, "cache", "products.json");
        var measured = 0;
        var rates = Enumerable.Range(1, 7).Select(i => new ProductRates(i, 2)).ToArray();
        Assert.Equal(rates, Find().Rates);
        Assert.Equal(rates, Find().Rates);
        Assert.Equal(1, measured);
        foreach (var damage in new[] { "", "{", "null", """{"Processor":"x","Rates":[]}""", """{"Processor":"x","Rates":[null,null,null,null,null,null,null]}""" })
        {
            File.WriteAllText(path, damage);
            Assert.Equal(rates, Find().Rates);
            Assert.Equal(rates, ProductRecord.Read(path)!.Rates);
        }

        Assert.Equal(6, measured);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));

        ProductRecord Find() => ProductRecord.FindOrMeasure(path, "x", () =>
        {
            measured++;
            return rates;
        });
    }

    [Fact]
    public void Of_several_processes_that_measure_at_once_the_first_ones_figures_hold()
    {
        var path = Path.Combine(_folder, "products.json");
        var second = ProductRecord.FindOrMeasure(path, "x", () =>
        {
            ProductRecord.FindOrMeasure(path, "x", () => [.. Enumerable.Repeat(new ProductRates(1, 2), 7)]);
            return [.. Enumerable.Repeat(new ProductRates(2, 1), 7)];
        });
        Assert.Equal(ProductChoice.Blas, ProductMeasurement.Choose(second.Rates));
    }

    [Fact]
    public void A_measurement_has_a_rate_for_each_class()
    {
        var rates = ProductMeasurement.Run();
        Assert.Equal(ProductChoice.ClassNames.Count, rates.Count);
        Assert.All(rates, rate => Assert.True(rate.Own > 0 && rate.Blas > 0));
    }
}
